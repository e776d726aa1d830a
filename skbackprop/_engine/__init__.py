"""The engine: one network, its loss and the gradient loop; it knows NumPy and scipy alone."""
