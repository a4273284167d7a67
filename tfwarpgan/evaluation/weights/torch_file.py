"""Tensors of PyTorch's .pth files, in both of their layouts, without executing them.

A .pth file holds a pickle, and unpickling can run any program. Here its operations are read one by one by
`pickletools.genops`: those on a short list build plain values on a stack, everything else is refused, and no function
that the file names is ever called.

    zip layout   NAME/data.pkl, and the numbers of each storage in NAME/data/KEY
    old layout   five pickles (magic number, version, system, the object, keys of storages), then for each key the count
                 of its numbers, int64, and these
"""

import dataclasses
import math
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, NoReturn

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Array

MOST_BYTES = 2 << 30  # of a file
MOST_OPERATIONS = 1 << 20  # of a pickle; VGG16 has some hundreds
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8"), "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"), "IntStorage": np.dtype("<i4"), "ByteStorage": np.dtype("u1"),
}  # fmt: skip
_PLAIN = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING",
    "SHORT_BINSTRING",
}  # fmt: skip
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MARK = object()
# What reading a damaged file may raise.
_DAMAGE = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, EOFError, RuntimeError,
    struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Name:
    """A function or class that the pickle names; it is never looked up."""

    name: str


@dataclasses.dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]


@dataclasses.dataclass(frozen=True)
class _Tensor:
    """A view of a storage: its offset, shape and strides, in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_file(path: str) -> dict[str, Array]:
    """The tensors of a state dictionary by name.

    Raises:
        InputError: If the file is no state dictionary, is damaged, or holds anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            if file.seek(0, 2) > MOST_BYTES:
                raise InputError(f"{path} is larger than {MOST_BYTES >> 30} GiB; no network of the metrics is.")
            file.seek(0)
            is_zip = zipfile.is_zipfile(file)
            file.seek(0)
            return _read_zip(path, file) if is_zip else _read_old(path, file)
    except _DAMAGE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a whole PyTorch file ({error}); fetch it again.") from None


def _read_zip(path: str, file: IO[bytes]) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        pickles = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1:
            raise InputError(f"{path} holds no data.pkl; expected a state dictionary of PyTorch.")
        folder = pickles[0].removesuffix("data.pkl")
        if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
            raise InputError(f"{path} unpacks to more than {MOST_BYTES >> 30} GiB; no network of the metrics does.")
        with archive.open(pickles[0]) as pickled:
            found = _Reader(path).value(pickled)

        def numbers(storage: _Storage) -> Array:
            return np.frombuffer(archive.read(f"{folder}data/{storage.key}"), storage.dtype)

        return dict(_arrays(path, found, numbers))


def _read_old(path: str, file: IO[bytes]) -> dict[str, Array]:
    if _Reader(path).value(file) != MAGIC or _Reader(path).value(file) != VERSION:
        raise InputError(f"{path} is no file of PyTorch; expected a state dictionary.")
    _Reader(path).value(file)  # byte order and sizes of the machine that wrote it
    reader = _Reader(path)
    found, keys = reader.value(file), _Reader(path).value(file)
    arrays = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        dtype = reader.storages[key].dtype
        content = file.read(count * dtype.itemsize) if count >= 0 else b""
        arrays[key] = np.frombuffer(content, dtype, count)
    return dict(_arrays(path, found, lambda storage: arrays[storage.key]))


def _tensors(found: Any) -> dict[str, _Tensor]:
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict):
        raise ValueError("it holds no dictionary")
    return {str(name): value for name, value in found.items() if isinstance(value, _Tensor)}


def _arrays(path: str, found: Any, numbers: Callable[[_Storage], Array]) -> Iterator[tuple[str, Array]]:
    for name, tensor in _tensors(found).items():
        flat = numbers(tensor.storage)
        reach = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides))
        is_empty = math.prod(tensor.shape) == 0
        if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or len(tensor.shape) != len(tensor.strides):
            raise InputError(f"{path}: the tensor {name} has an impossible shape; fetch the file again.")
        if not is_empty and tensor.offset + reach >= len(flat):
            raise InputError(f"{path}: the tensor {name} reaches beyond its numbers; fetch the file again.")
        strides = [stride * flat.itemsize for stride in tensor.strides]
        view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides, writeable=False)
        yield name, np.array(view)


class _Reader:
    """A stack machine of the few operations that a state dictionary is pickled with."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.storages: dict[str, _Storage] = {}  # by their keys

    def value(self, file: IO[bytes]) -> Any:
        """The value of the next pickle of a file."""
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count > MOST_OPERATIONS:
                raise InputError(f"{self._path} has more operations than a state dictionary needs; fetch it again.")
            if operation.name == "STOP":
                return self._stack.pop()
            self._do(operation.name, argument)
        raise ValueError("the pickle has no end")

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PLAIN:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[name]())
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL":
            stack.append(_Name(argument.replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(_Name(f"{module}.{attribute}"))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            size = int(name[-1])
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "TUPLE":
            stack.append(tuple(self._to_mark()))
        elif name != "PROTO" and name != "FRAME":
            self._change(name)

    def _change(self, name: str) -> None:
        """Operations that change a value, or make one of a name."""
        stack = self._stack
        if name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self._to_mark()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else self._to_mark()
            stack[-1].extend(items)
        elif name == "BUILD":
            stack.pop()  # attributes, such as the versions of modules
        elif name == "BINPERSID":
            stack.append(self._storage(stack.pop()))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(self._made(function, arguments))
        else:
            self._refuse(f"the operation {name}")

    def _to_mark(self) -> list[Any]:
        start = len(self._stack) - 1 - self._stack[::-1].index(_MARK)
        items = self._stack[start + 1 :]
        del self._stack[start:]
        return items

    def _storage(self, identity: Any) -> _Storage:
        kind, storage_type, key = identity[:3]
        name = storage_type.name.removeprefix("torch.") if isinstance(storage_type, _Name) else ""
        if kind != "storage" or name not in DTYPES or (len(identity) > 5 and identity[5] is not None):
            self._refuse(f"a storage of type {name or 'none'}")
        return self.storages.setdefault(str(key), _Storage(str(key), DTYPES[name]))

    def _made(self, function: Any, arguments: Any) -> Any:
        name = function.name if isinstance(function, _Name) else "nothing that has a name"
        if name == "collections.OrderedDict":
            return dict(arguments[0]) if arguments else {}
        if name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"):
            storage, offset, shape, strides = arguments[:4]
            if not isinstance(storage, _Storage):
                self._refuse("a tensor without a storage")
            return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
        if name == "torch._utils._rebuild_parameter":
            return arguments[0]
        return self._refuse(f"a call of {name}")

    def _refuse(self, what: str) -> NoReturn:
        raise InputError(f"{self._path} holds {what}, which no plain state dictionary does; it was not executed.")
