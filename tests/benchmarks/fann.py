"""FANN, the C library of neural networks, as a peer: an epoch of training, one row a step.

What can be compared is what both do: incremental training, which is gradient descent without momentum on one row a step,
in a fixed order, of a network of sigmoid units, those of the output included, with half the squared error, in float32. FANN
has no log-loss, no batches smaller than all rows, no Nesterov momentum and no Adam, and it does not shuffle. It keeps a
unit's activation within 0.01 and 0.99 where it computes the slope, which we do not; the work is the same.
"""

from ctypes import CDLL, POINTER, Structure, c_char_p, c_float, c_int, c_uint, c_void_p
from ctypes.util import find_library

import numpy as np

# Their numbers in fann_data.h.
INCREMENTAL, SIGMOID, LINEAR_ERROR = 0, 3, 0


class Data(Structure):
    """The start of FANN's `struct fann_train_data`."""

    _fields_ = [
        ("error_number", c_int),
        ("error_log", c_void_p),
        ("error_text", c_char_p),
        ("num_data", c_uint),
        ("num_input", c_uint),
        ("num_output", c_uint),
        ("input", POINTER(POINTER(c_float))),
        ("output", POINTER(POINTER(c_float))),
    ]


def library():
    """Return FANN for float32, or None where it is not installed (Debian: libfann2)."""
    name = find_library("floatfann")
    if name is None:
        return None
    fann = CDLL(name)
    fann.fann_create_standard_array.restype = c_void_p
    fann.fann_create_train.restype = POINTER(Data)
    fann.fann_train_epoch.argtypes, fann.fann_train_epoch.restype = [c_void_p, POINTER(Data)], c_float
    for setting, kind in [
        ("activation_function_hidden", c_int),
        ("activation_function_output", c_int),
        ("train_error_function", c_int),
        ("training_algorithm", c_int),
        ("learning_rate", c_float),
    ]:
        getattr(fann, f"fann_set_{setting}").argtypes = [c_void_p, kind]
    return fann


def fann_epoch(X, Y, hidden, learning_rate):
    """Return a function that trains for an epoch and returns the mean squared error, or None without FANN."""
    fann = library()
    if fann is None:
        return None
    (n_samples, n_features), n_outputs = X.shape, Y.shape[1]
    sizes = (n_features, *hidden, n_outputs)
    network = fann.fann_create_standard_array(len(sizes), (c_uint * len(sizes))(*sizes))
    fann.fann_set_activation_function_hidden(network, SIGMOID)
    fann.fann_set_activation_function_output(network, SIGMOID)
    fann.fann_set_train_error_function(network, LINEAR_ERROR)
    fann.fann_set_training_algorithm(network, INCREMENTAL)
    fann.fann_set_learning_rate(network, learning_rate)
    data = fann.fann_create_train(n_samples, n_features, n_outputs)
    # The rows of each lie one after the other.
    for rows, values in ((data.contents.input, X), (data.contents.output, Y)):
        np.ctypeslib.as_array(rows[0], values.shape)[...] = values
    return lambda: fann.fann_train_epoch(network, data)
