"""Weights out of pickles and PyTorch files, of which nothing is ever executed.

A pickle is a program for a machine that can call any function of any module. The one here knows
plain containers, numbers and text; arrays of NumPy and tensors of PyTorch, put together by code of
this file; and NVIDIA's network class, of which it keeps the state alone. It refuses all else by
name. What calls and opcodes may make is bounded by the size of the file.

Formats: Python's pickle protocols 0 to 5; PyTorch's zip files, from 1.6 on, and those before.
"""

import collections
import io
import pathlib
import pickle
import zipfile

import numpy as np

MAX_BYTES = 2 * 2**30  # of a file
MAX_DEPTH = 20  # of containers in each other
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
        return np.lib.stride_tricks.as_strided(part, self.size, strides, writeable=False)


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


def _reconstruct(*unused):
    return _Array()


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
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch", "Size"): tuple,
    ("dnnlib.util", "EasyDict"): dict,
    ("dnnlib", "EasyDict"): dict,
}


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

    def __init__(self, file, size, storages=None):
        super().__init__(file, encoding="latin1")
        self._left, self._storages = 2 * size + 1000, storages

    def load_reduce(self):
        arguments = self.stack.pop()
        # The same text or list again and again would cost the file next to nothing.
        self._left -= 10 + sum(len(a) for a in arguments if hasattr(a, "__len__"))
        if self._left < 0:
            raise WeightError("calls that make more than the file holds")
        self.stack[-1] = self.stack[-1](*arguments)

    def load_build(self):
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, _Array | _Dtype | Network):
            made.__setstate__(state)
        elif not isinstance(made, collections.OrderedDict):  # its attributes are not needed
            raise WeightError(f"a state for {type(made).__name__}")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build

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

        return _Unpickler(io.BytesIO(archive.read(names[0])), len(content), storage).load()


def _read_pickles(content):
    """A single pickle, or PyTorch's series of them before 1.6."""
    file = io.BytesIO(content)
    found = _Unpickler(file, len(content)).load()
    if found != TORCH_MAGIC or isinstance(found, bool):
        return found
    if _Unpickler(file, len(content)).load() != 1001:
        raise WeightError("a version of PyTorch's format that is not known")
    _Unpickler(file, len(content)).load()  # what machine wrote it
    known = {}

    def storage(key, dtype, count):
        return known.setdefault(key, {"values": None, "dtype": dtype, "count": count})

    found = _Unpickler(file, len(content), storage).load()
    for key in _Unpickler(file, len(content)).load():
        (count,) = np.frombuffer(file.read(8), "<i8")
        wanted = known.get(str(key), {"dtype": None})
        if wanted["dtype"] is None or not 0 <= count <= len(content):
            raise WeightError("a storage that nothing refers to")
        content_of = file.read(int(count) * wanted["dtype"].itemsize)
        wanted["values"] = np.frombuffer(content_of, wanted["dtype"])
        if len(wanted["values"]) < wanted["count"]:
            raise WeightError(f"storage {key} is cut off")
    return found


def _plain(found, known=None, depth=0):
    """With arrays for what stood for them; each object once, however often it is referred to."""
    known = {} if known is None else known
    if id(found) in known:
        return known[id(found)]
    if depth > MAX_DEPTH:
        raise WeightError("containers in containers in containers")
    if isinstance(found, _Array | _Tensor):
        made = found.value
    elif isinstance(found, Network):
        found.state = _plain(found.state, known, depth + 1)
        made = found
    elif isinstance(found, dict):
        made = {key: _plain(value, known, depth + 1) for key, value in found.items()}
    elif isinstance(found, list | tuple):
        made = [_plain(value, known, depth + 1) for value in found]
    elif found is None or isinstance(found, bool | int | float | str | bytes | np.generic):
        return found
    else:
        raise WeightError(f"a {type(found).__name__} among the weights")
    known[id(found)] = made
    return made


def tensors(found):
    """All sets of named arrays in what `read` gave: a list of {name: array}.

    A dictionary that holds arrays is one, a network's pairs of (name, array) are one.

    Raises:
        WeightError: pairs of something else.
    """
    seen, sets = set(), []

    def visit(part):
        if isinstance(part, Network):
            part = part.state
        if not isinstance(part, dict | list) or id(part) in seen:
            return
        seen.add(id(part))
        if isinstance(part, list):
            for value in part:
                visit(value)
            return
        if isinstance(part.get("variables"), list):
            sets.append(_pairs(part["variables"]))
            return
        own = {str(k): v for k, v in part.items() if isinstance(v, np.ndarray | np.generic)}
        if own:
            sets.append(own)
        for value in part.values():
            visit(value)

    visit(found)
    return sets


def _pairs(variables):
    pairs = [pair for pair in variables if isinstance(pair, list) and len(pair) == 2]
    if len(pairs) < len(variables) or not all(
        isinstance(name, str) and isinstance(value, np.ndarray | np.generic)
        for name, value in pairs
    ):
        raise WeightError("a network whose variables are no pairs of name and array")
    if len(dict(pairs)) < len(pairs):
        raise WeightError("a network with two variables of one name")
    return dict(pairs)
