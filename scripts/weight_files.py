"""Weights out of pickles and PyTorch files, of which nothing is ever executed.

A pickle is a program for a machine that can call any function of any module. The one here knows
plain containers, numbers and text; arrays of NumPy and tensors of PyTorch, put together by code of
this file; and NVIDIA's network class, of which it keeps the state alone. It refuses all else by
name. Opcodes that make it allocate what the file does not hold are not there.

Formats: Python's pickle protocols 0 to 5; PyTorch's zip files, from 1.6 on, and those before.
"""

import collections
import io
import pathlib
import pickle
import zipfile

import numpy as np

MAX_BYTES = 2 * 2**30  # of a file
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
NETWORKS = {"dnnlib.tflib.network", "dnnlib.tflib", "tfutil", "network"}


class WeightError(ValueError):
    """A file that holds no weights that can be used; the message says what is wrong with it."""


class Network:
    """NVIDIA's: what its pickle held, `state`."""

    def __setstate__(self, state):
        self.state = state


class _Array:
    """An array of NumPy before its values come."""

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, content = state
        array = np.frombuffer(content, _dtype_of(dtype))
        self.value = array.reshape(shape, order="F" if is_fortran else "C")


class _Dtype:
    """A dtype: its letter and size, then its byte order."""

    def __init__(self, code, *unused):
        dtype = np.dtype(code) if isinstance(code, str) and len(code) <= 3 else None
        if dtype is None or dtype.kind not in "fiub" or dtype.itemsize > 8:
            raise WeightError(f"arrays of {str(code)[:40]!r}; expected numbers")
        self.dtype = dtype

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Tensor:
    """Part of a storage, whose values come later in old files."""

    def __init__(self, storage, offset, size, stride):
        self.storage, self.offset = storage, int(offset)
        self.size, self.stride = tuple(map(int, size)), tuple(map(int, stride))

    @property
    def value(self):
        values = self.storage["values"]
        if values is None:
            raise WeightError("a tensor without values")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride))
        inside = min((self.offset, *self.size, *self.stride)) >= 0 and last < len(values)
        if 0 in self.size:
            return np.empty(self.size, values.dtype)
        if not inside or len(self.size) != len(self.stride) or np.prod(self.size) > len(values):
            raise WeightError("a tensor that reaches beyond its storage")
        part = values[self.offset :]
        strides = [step * values.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(part, self.size, strides).copy()


def _dtype_of(dtype):
    if not isinstance(dtype, _Dtype):
        raise WeightError("an array without a type")
    return dtype.dtype


def _scalar(dtype, content):
    return np.frombuffer(content, _dtype_of(dtype))[0]


def _encode(text, encoding="latin1"):
    if encoding not in ("latin1", "latin-1", "iso8859-1"):
        raise WeightError(f"text in {encoding!r}")
    return text.encode("latin1")


def _reconstructor(kind, base, state):
    """How protocols before 2 make an instance of a class without one of its own."""
    if kind is not Network:
        raise WeightError("an instance of a class that holds no weights")
    return Network()


def _rebuild_tensor(storage, offset, size, stride, *unused):
    return _Tensor(storage, offset, size, stride)


def _rebuild_parameter(tensor, *unused):
    return tensor


# What a file may name, and what is done instead.
_NAMES = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("builtins", "object"): None,
    ("__builtin__", "object"): None,
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): tuple,
    ("dnnlib.util", "EasyDict"): dict,
    ("dnnlib", "EasyDict"): dict,
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _NAMES[_module, "_reconstruct"] = lambda *unused: _Array()
    _NAMES[_module, "scalar"] = _scalar


class _Unpickler(pickle._Unpickler):
    """Python's own, written in Python: its memo is a dictionary and takes no memory in advance."""

    dispatch = {
        opcode: load
        for opcode, load in pickle._Unpickler.dispatch.items()
        if bytes([opcode])
        not in (
            pickle.BYTEARRAY8,
            pickle.EXT1,
            pickle.EXT2,
            pickle.EXT4,
            pickle.NEXT_BUFFER,
            pickle.READONLY_BUFFER,
            pickle.INST,
            pickle.OBJ,
        )
    }

    def __init__(self, file, storages=None):
        super().__init__(file, encoding="latin1")
        self._storages = storages

    def find_class(self, module, name):
        if (module, name) in _NAMES:
            return _NAMES[module, name]
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module in NETWORKS and name == "Network":
            return Network
        raise WeightError(f"it asks for {module}.{name}, which has no place among weights")

    def persistent_load(self, identity):
        if self._storages is None:
            raise WeightError("a reference out of the file")
        _, dtype, key, _, count, *view = identity
        if view and view[0] is not None:
            raise WeightError("a view of a storage")
        return self._storages(str(key), np.dtype(dtype), int(count))


def read(path):
    """Reads a file: the containers in it, arrays as NumPy's, networks as `Network`.

    Raises:
        WeightError: no such file, damaged, too large, or something in it that is no weights.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise WeightError(f"{path}: no such file.")
    if path.stat().st_size > MAX_BYTES:
        raise WeightError(f"{path}: {path.stat().st_size / 2**30:.1f} GB; expected at most 2.")
    content = path.read_bytes()
    try:
        is_zip = content[:4] == b"PK\x03\x04"
        return _plain(_read_zip(content) if is_zip else _read_pickles(content))
    except WeightError as error:
        raise WeightError(f"{path}: no weights that can be used: {error}.") from error
    except Exception as error:  # damaged pickles raise nearly anything
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise WeightError(f"{path}: damaged, or no weights ({reason}).") from error


def _read_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise WeightError("compressed; PyTorch's files are not")
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise WeightError("a zip file, but not PyTorch's")
        folder = names[0].removesuffix("data.pkl")
        known = {}

        def storage(key, dtype, count):
            if key not in known:
                values = np.frombuffer(archive.read(f"{folder}data/{key}"), dtype)
                if len(values) < count:
                    raise WeightError(f"storage {key} is cut off")
                known[key] = {"values": values[:count]}
            return known[key]

        return _Unpickler(io.BytesIO(archive.read(names[0])), storage).load()


def _read_pickles(content):
    """A single pickle, or PyTorch's series of them before 1.6."""
    file = io.BytesIO(content)
    found = _Unpickler(file).load()
    if found != TORCH_MAGIC or isinstance(found, bool):
        return found
    if _Unpickler(file).load() != 1001:
        raise WeightError("a version of PyTorch's format that is not known")
    _Unpickler(file).load()  # what machine wrote it
    known = {}

    def storage(key, dtype, count):
        return known.setdefault(key, {"values": None, "dtype": dtype, "count": count})

    found = _Unpickler(file, storage).load()
    for key in _Unpickler(file).load():
        (count,) = np.frombuffer(file.read(8), "<i8")
        wanted = known.get(str(key), {"dtype": None})
        if wanted["dtype"] is None or not 0 <= count <= len(content):
            raise WeightError("a storage that nothing refers to")
        content_of = file.read(int(count) * wanted["dtype"].itemsize)
        wanted["values"] = np.frombuffer(content_of, wanted["dtype"])
        if len(wanted["values"]) < wanted["count"]:
            raise WeightError(f"storage {key} is cut off")
    return found


def _plain(found, depth=0):
    """With arrays for what stood for them."""
    if depth > 20:
        raise WeightError("containers in containers in containers")
    if isinstance(found, _Array | _Tensor):
        return found.value
    if isinstance(found, Network):
        found.state = _plain(found.state, depth + 1)
        return found
    if isinstance(found, dict):
        return {key: _plain(value, depth + 1) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(value, depth + 1) for value in found]
    return found


def tensors(found):
    """All sets of named arrays in what `read` gave: a list of {name: array}.

    A dictionary that holds arrays is one, a network's pairs of (name, array) are one.
    """
    if isinstance(found, Network):
        variables = found.state.get("variables") if isinstance(found.state, dict) else None
        return [_pairs(variables)] if variables else []
    if isinstance(found, dict):
        own = {
            str(k): np.asarray(v)
            for k, v in found.items()
            if isinstance(v, np.ndarray | np.generic)
        }
        others = [part for v in found.values() for part in tensors(v)]
        if "variables" in found and isinstance(found["variables"], list):
            others = [_pairs(found["variables"])]
        return ([own] if own else []) + others
    if isinstance(found, list):
        return [part for v in found for part in tensors(v)]
    return []


def _pairs(variables):
    try:
        return {str(name): np.asarray(value, np.float32) for name, value in variables}
    except (TypeError, ValueError) as error:
        raise WeightError("a network whose variables are no pairs of name and array.") from error
