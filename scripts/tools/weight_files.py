"""Reads weights from pickles and PyTorch files without executing code that the files contain.

A pickle is a program for a virtual machine, and Python's machine can call any function of any
module. The machine here only makes plain containers, numbers and text, NumPy arrays and PyTorch
tensors (by the code in this file), and NVIDIA's network class, of which only the state is kept.
Anything else is refused, with its name in the message. The size of the file limits how much memory
calls and opcodes can use.

Formats: Python's pickle protocols 0 to 5, PyTorch's zip files (from version 1.6 on), and its files
of earlier versions.
"""

import collections
import io
import pathlib
import pickle
import zipfile

import numpy as np

MAX_BYTES = 2 * 2**30  # largest size of a file
MAX_DEPTH = 20  # largest depth of nested containers
TORCH_MAGIC = 0x1950A86A20F9469CFC6C  # first pickle in PyTorch's files before 1.6
# PyTorch's class of a storage -> NumPy's code of its type.
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
# Modules in which NVIDIA's pickles look for the class Network.
NETWORKS = {"dnnlib.tflib.network", "dnnlib.tflib", "tfutil", "network"}


class WeightError(ValueError):
    """A file without usable weights; the message says what is wrong with it."""


class Network:
    """NVIDIA's network class; `state` is what the pickle stores for it."""

    def __setstate__(self, state):
        self.state = state


class _Array:
    """A NumPy array; `value` exists once its state has been read."""

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, content = state
        array = np.frombuffer(content, _dtype_of(dtype))
        self.value = array.reshape(shape, order="F" if is_fortran else "C")


class _Dtype:
    """A NumPy dtype, made from its letter and size; its state sets the byte order."""

    def __init__(self, code, *unused):
        dtype = np.dtype(code) if isinstance(code, str) and len(code) <= 3 else None
        if dtype is None or dtype.kind not in "fiub" or dtype.itemsize > 8:
            raise WeightError(f"arrays of {str(code)[:40]!r}; expected numbers")
        self.dtype = dtype

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Tensor:
    """A PyTorch tensor, a part of a storage. In old files the storage's values come later."""

    def __init__(self, storage, offset, size, stride):
        self.storage, self.offset = storage, int(offset)
        self.size, self.stride = tuple(map(int, size)), tuple(map(int, stride))

    @property
    def value(self):
        """The tensor as a NumPy array."""
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


class _Enum:
    """An enumeration of the PyTorch reimplementation of SSDN; its members become text."""

    def __init__(self, name):
        self.name = name

    def __call__(self, value):
        if not (type(value) is int or (isinstance(value, str) and len(value) < 100)):
            raise WeightError(f"a member of {self.name} that is neither number nor name")
        return f"{self.name}({value})"


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
    """Makes an instance of a class as protocols before 2 do."""
    if kind is not Network:
        raise WeightError("an instance of a class that holds no weights")
    return Network()


def _rebuild_tensor(storage, offset, size, stride, *unused):
    return _Tensor(storage, offset, size, stride)


def _rebuild_parameter(tensor, *unused):
    return tensor


def _reconstruct(*unused):
    return _Array()


# (module, name) that a file may refer to -> what is used in its place.
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
    """The unpickler of the standard library in its Python version, with restrictions.

    The C version would allocate a memo as large as a damaged file asks for; here the memo is a
    dictionary.
    """

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
        """Calls a function of `_NAMES`, if the limit for the size of all arguments allows it."""
        arguments = self.stack.pop()
        # Without a limit, a short file could pass one long text or list to many calls.
        self._left -= 10 + sum(len(a) for a in arguments if hasattr(a, "__len__"))
        if self._left < 0:
            raise WeightError("calls that make more than the file holds")
        self.stack[-1] = self.stack[-1](*arguments)

    def load_build(self):
        """Sets the state of an object of this file's classes; ignores that of an OrderedDict."""
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, _Array | _Dtype | Network):
            made.__setstate__(state)
        elif not isinstance(made, collections.OrderedDict):  # its attributes are not needed
            raise WeightError(f"a state for {type(made).__name__}")

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build

    def find_class(self, module, name):
        """Returns what is used in place of a name, or raises WeightError."""
        if (module, name) in _NAMES:
            return _NAMES[module, name]
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module in NETWORKS and name == "Network":
            return Network
        if module == "ssdn.params":
            return _Enum(name)
        raise WeightError(f"it asks for {module}.{name}, which has no place among weights")

    def persistent_load(self, identity):
        """Returns the storage that a PyTorch file refers to."""
        if self._storages is None:
            raise WeightError("a reference out of the file")
        _, dtype, key, _, count, *view = identity
        if view and view[0] is not None:
            raise WeightError("a view of a storage")
        return self._storages(str(key), np.dtype(dtype), int(count))


def read(path):
    """Reads a file: its containers, with NumPy arrays and `Network` objects in them.

    Raises:
        WeightError: the file does not exist, is damaged or too large, or holds other things than
            weights.
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
        raise WeightError(f"{path}: not usable as weights: {error}.") from error
    except Exception as error:  # damaged pickles raise nearly anything
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise WeightError(f"{path}: damaged, or not a weight file ({reason}).") from error


def _read_zip(content):
    """Reads PyTorch's zip format."""
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
    """Reads a single pickle, or the series of pickles that PyTorch wrote before 1.6."""
    file = io.BytesIO(content)
    first = _Unpickler(file, len(content)).load()
    if first != TORCH_MAGIC or isinstance(first, bool):
        return first
    if _Unpickler(file, len(content)).load() != 1001:
        raise WeightError("a version of PyTorch's format that is not known")
    _Unpickler(file, len(content)).load()  # properties of the machine that wrote it
    known = {}

    def storage(key, dtype, count):
        return known.setdefault(key, {"values": None, "dtype": dtype, "count": count})

    weights = _Unpickler(file, len(content), storage).load()
    for key in _Unpickler(file, len(content)).load():
        (count,) = np.frombuffer(file.read(8), "<i8")
        wanted = known.get(str(key), {"dtype": None})
        if wanted["dtype"] is None or not 0 <= count <= len(content):
            raise WeightError("a storage that nothing refers to")
        content_of = file.read(int(count) * wanted["dtype"].itemsize)
        wanted["values"] = np.frombuffer(content_of, wanted["dtype"])
        if len(wanted["values"]) < wanted["count"]:
            raise WeightError(f"storage {key} is cut off")
    return weights


def _plain(content, known=None, depth=0):
    """Replaces arrays and tensors in nested containers by NumPy arrays.

    Args:
        content: what an unpickler returned.
        known: dict of id -> result, so that every object is converted once, however often the
            containers refer to it.
        depth: of the nesting.
    """
    known = {} if known is None else known
    if id(content) in known:
        return known[id(content)]
    if depth > MAX_DEPTH:
        raise WeightError("containers in containers in containers")
    if isinstance(content, _Array | _Tensor):
        made = content.value
    elif isinstance(content, Network):
        content.state = _plain(content.state, known, depth + 1)
        made = content
    elif isinstance(content, dict):
        made = {key: _plain(value, known, depth + 1) for key, value in content.items()}
    elif isinstance(content, list | tuple):
        made = [_plain(value, known, depth + 1) for value in content]
    elif content is None or isinstance(content, bool | int | float | str | bytes | np.generic):
        return content
    else:
        raise WeightError(f"a {type(content).__name__} among the weights")
    known[id(content)] = made
    return made


def tensors(found):
    """Collects all sets of named arrays: a list of dict of name -> array.

    A dictionary with arrays is such a set, and so are the pairs (name, array) of a network.

    Args:
        found: the result of `read`.

    Raises:
        WeightError: a network's variables are not such pairs.
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
    """The variables of a network, a list of [name, array], as a dict."""
    pairs = [pair for pair in variables if isinstance(pair, list) and len(pair) == 2]
    if len(pairs) < len(variables) or not all(
        isinstance(name, str) and isinstance(value, np.ndarray | np.generic)
        for name, value in pairs
    ):
        raise WeightError("a network whose variables are no pairs of name and array")
    if len(dict(pairs)) < len(pairs):
        raise WeightError("a network with two variables of one name")
    return dict(pairs)
