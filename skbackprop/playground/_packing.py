"""Arrays and texts as a page in the browser takes them."""

import base64
import json

import numpy as np

# A browser that reads JSON within a page must not take a part of it for the page's own.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
# What the browser calls these types.
NAMES = {np.dtype("u1"): "Uint8Array", np.dtype("f4"): "Float32Array", np.dtype("f8"): "Float64Array"}
# Characters of base64 for a number of four bytes.
CHARACTERS = 16 / 3


def packed(array, precise=True):
    """Return an array as its bytes in base64, the smallest type that does taken for it.

    Small whole numbers take a byte each, others are rounded to the seven digits of float32; where that would move one by
    more than a millionth of what a column varies, they take eight bytes, unless not to be `precise`.
    """
    array = np.asarray(array)
    for dtype in (np.uint8, np.float32, np.float64):
        with np.errstate(invalid="ignore", over="ignore"):
            stored = array.astype(dtype)
        if _close(stored, array) or (dtype == np.float32 and not precise):
            break
    little = stored.astype(stored.dtype.newbyteorder("<"), copy=False)
    return {
        "shape": list(array.shape),
        "type": NAMES[stored.dtype],
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def _close(stored, array):
    """Return whether an array in a smaller type is still the same."""
    if stored.dtype.kind == "u" or not array.size:
        return np.array_equal(stored, array)
    columns = array.reshape(len(array), -1)
    spread, size = columns.std(axis=0), np.abs(columns).max(axis=0)
    tolerance = np.where(spread > 1e-12 * size, 1e-6 * spread, 1e-6)
    return bool(np.all(np.abs(stored.reshape(columns.shape) - columns) <= tolerance))


def rounded(values, digits=6):
    """Return numbers as a list with so many significant digits; None for what is not finite, which JSON does not have."""
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in np.ravel(values).tolist()]


def as_json(data):
    """Return data as JSON that may stand within a script element, whatever texts it holds."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text
