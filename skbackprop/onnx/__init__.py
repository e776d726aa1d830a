"""ONNX: estimators as graphs that onnxruntime and others predict with, without Python (the extra `onnx`).

To import this module is to register the estimators with skl2onnx, so that `skl2onnx.to_onnx` converts pipelines, searches,
calibrated and stacked estimators that hold them. A graph computes in the types in which the estimator predicts: in float32
throughout if it was trained on float32 and is given float32, else in float64; what comes out has the type of the inputs.
"""

try:
    from ._graph import CONVERTERS, Graph
    from ._to_onnx import to_onnx
except ModuleNotFoundError as error:
    raise ImportError(f"skbackprop.onnx needs {error.name}: pip install 'skbackprop[onnx]'.") from error

__all__ = ["CONVERTERS", "Graph", "to_onnx"]
