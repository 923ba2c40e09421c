"""Weight files as PyTorch writes them, without PyTorch."""

import collections
import io
import pickle
import sys
import types
import zipfile

import numpy as np


def torch_file(arrays, data=None, around=lambda tensors: tensors):
    """A file as PyTorch writes it, of {name: array}; `data` replaces its pickle.

    around: gives what is pickled, of the tensors by name.
    """
    utils = types.ModuleType("torch._utils")

    def rebuild(*unused):
        raise AssertionError

    rebuild.__name__ = rebuild.__qualname__ = "_rebuild_tensor_v2"
    rebuild.__module__ = utils.__name__
    utils._rebuild_tensor_v2 = rebuild

    class FloatStorage:
        __module__, __qualname__ = "torch", "FloatStorage"

    torch = types.ModuleType("torch")
    torch.FloatStorage = FloatStorage

    class Tensor:
        def __init__(self, key, array):
            self.key, self.array = key, array

        def __reduce__(self):
            stride = tuple(s // 4 for s in self.array.strides)
            return rebuild, (Storage(self.key, self.array.size), 0, self.array.shape, stride)

    Storage = collections.namedtuple("Storage", "key count")

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return ("storage", FloatStorage, value.key, "cpu", value.count)
            return None

    file, content = io.BytesIO(), io.BytesIO()
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        tensors = {n: Tensor(str(i), v) for i, (n, v) in enumerate(arrays.items())}
        Pickler(content, 2).dump(around(collections.OrderedDict(tensors)))
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data or content.getvalue())
        for i, value in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{i}", value.astype("<f4").tobytes())
    return file.getvalue()


def same_weights(a, b):
    assert len(a.weights) == len(b.weights)
    return all((np.asarray(x) == np.asarray(y)).all() for x, y in zip(a.weights, b.weights))
