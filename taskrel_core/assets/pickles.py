"""Numpy arrays out of pickle files; no code that a file names is run."""

import pickle
from io import BytesIO
from typing import Any

import numpy as np

# All that the pickle of numpy arrays needs. The function that makes an empty array is found through numpy itself,
# since the module that older files name it by is deprecated.
RECONSTRUCT = np.empty(0).__reduce__()[0]
HARMLESS = {
    ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads numpy arrays in plain containers; any other name in the file is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which is no part of an array")
        return HARMLESS[module, name]


def read_pickled_arrays(content: bytes) -> Any:
    """Return the arrays, or plain containers of arrays, in a pickle, of Python 2 as well.

    Raises:
        pickle.UnpicklingError: the file holds something else than arrays.
    """
    return _ArraysOnly(BytesIO(content), encoding="latin1").load()
