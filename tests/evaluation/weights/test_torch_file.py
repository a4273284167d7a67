"""Files of PyTorch, written by the test byte by byte in both layouts, and what is refused without being run."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.weights.torch_file import MAGIC, VERSION, read_torch_file


class Named:
    """Pickled as a function of that name, called with some arguments."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


class Writer(pickle._Pickler):  # the Python version, whose operations can be written one by one
    """Writes state dictionaries as PyTorch does, without PyTorch."""

    def __init__(self, file):
        super().__init__(file, protocol=2)

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
            super().save(value.arguments)
            self.write(pickle.REDUCE)
        elif isinstance(value, Storage):
            self.write(pickle.MARK)
            super().save("storage")
            self.write(pickle.GLOBAL + f"torch\n{value.kind}\n".encode())
            for item in (value.key, value.location, value.count, *value.more):
                super().save(item)
            self.write(pickle.TUPLE + pickle.BINPERSID)
        else:
            super().save(value, save_persistent_id)


class Storage:
    def __init__(self, key, array, more=(), kind=""):
        self.key, self.array, self.count, self.more, self.location = key, array, array.size, more, "cuda:0"
        self.kind = kind or {"f4": "FloatStorage", "i8": "LongStorage", "f2": "HalfStorage"}[array.dtype.str[1:]]


def tensor(storage, shape, strides, offset=0):
    return Named(
        "torch._utils",
        "_rebuild_tensor_v2",
        storage,
        offset,
        shape,
        strides,
        False,
        Named("collections", "OrderedDict"),
    )


def pickled(value):
    stream = io.BytesIO()
    Writer(stream).dump(value)
    return stream.getvalue()


def write_zip(path, value, storages):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickled(value))
        for storage in storages:
            archive.writestr(f"net/data/{storage.key}", storage.array.tobytes())
    return str(path)


def write_old(path, value, storages):
    parts = [pickle.dumps(MAGIC, 2), pickle.dumps(VERSION, 2), pickle.dumps({"little_endian": True}, 2), pickled(value)]
    parts.append(pickle.dumps([storage.key for storage in storages], 2))
    parts += [struct.pack("<q", storage.count) + storage.array.tobytes() for storage in storages]
    path.write_bytes(b"".join(parts))
    return str(path)


@pytest.fixture(params=[write_zip, write_old], ids=["zip", "old"])
def write(request, tmp_path):
    return lambda value, storages: request.param(tmp_path / "net.pth", value, storages)


@pytest.fixture
def state():
    """(state dictionary, its storages, the arrays that it means)."""
    numbers, count = Storage("0", np.arange(24, dtype="<f4")), Storage("1", np.array([7], "<i8"))
    entries = [
        ["whole", tensor(numbers, (2, 3, 4), (12, 4, 1))],
        ["turned", tensor(numbers, (3, 2), (1, 3), 6)],
        ["none", tensor(numbers, (0, 4), (4, 1))],
        ["batches", tensor(count, (), ())],
    ]
    value = Named("collections", "OrderedDict", entries)
    array = np.arange(24, dtype=np.float32)
    expected = {
        "whole": array.reshape(2, 3, 4), "turned": array[6:12].reshape(2, 3).T,
        "none": np.zeros((0, 4), np.float32), "batches": np.array(7),
    }  # fmt: skip
    return value, [numbers, count], expected


def test_views_of_storages_in_both_layouts(write, state):
    value, storages, expected = state
    found = read_torch_file(write(value, storages))
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_a_dictionary_of_python_3_and_parameters(write):
    numbers = Storage("0", np.ones(4, "<f2"))
    parameter = Named(
        "torch._utils", "_rebuild_parameter", tensor(numbers, (2, 2), (2, 1)), True, Named("collections", "OrderedDict")
    )
    found = read_torch_file(write({"state_dict": {"a": parameter, "epoch": 3}}, [numbers]))
    np.testing.assert_array_equal(found["a"], np.ones((2, 2), np.float16))
    assert list(found) == ["a"]


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_programs_are_refused_and_not_run(write, tmp_path):
    marker = tmp_path / "was_run"
    with pytest.raises(InputError, match="holds a call of (posix|nt).system, which no plain state dictionary does"):
        read_torch_file(write({"a": Bomb(marker)}, []))
    assert not marker.exists()


@pytest.mark.parametrize(
    "value",
    [Named("builtins", "eval", "1"), Named("torch", "nn.Linear", 3), Named("collections", "Counter")],
    ids=lambda value: value.name,
)
def test_no_other_name_is_called(write, value):
    with pytest.raises(InputError, match=f"holds a call of {value.module}.{value.name}"):
        read_torch_file(write({"a": value}, []))


def test_other_operations_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pth", "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02(i__builtin__\ndict\n.")
    with pytest.raises(InputError, match="holds the operation INST"):
        read_torch_file(str(tmp_path / "net.pth"))


@pytest.mark.parametrize(
    ("shape", "strides", "offset"), [((3, 3), (3, 1), 0), ((2,), (1,), 7), ((2,), (-1,), 4), ((-1,), (1,), 0)]
)
def test_views_beyond_their_storage_are_refused(write, shape, strides, offset):
    numbers = Storage("0", np.zeros(8, "<f4"))
    with pytest.raises(InputError, match="tensor a (reaches beyond its numbers|has an impossible shape)"):
        read_torch_file(write({"a": tensor(numbers, shape, strides, offset)}, [numbers]))


def test_unknown_storages_are_refused(write):
    numbers = Storage("0", np.zeros(8, "<f4"), kind="QInt8Storage")
    with pytest.raises(InputError, match="storage of type QInt8Storage"):
        read_torch_file(write({"a": tensor(numbers, (8,), (1,))}, [numbers]))


def test_damaged_files_are_one_sentence(write, state, tmp_path):
    value, storages, _ = state
    path = write(value, storages)
    content = open(path, "rb").read()
    for length in (0, 10, len(content) // 2, len(content) - 9):
        (tmp_path / "cut.pth").write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut\.pth"):
            read_torch_file(str(tmp_path / "cut.pth"))
    (tmp_path / "cut.pth").write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(InputError, match=r"cut\.pth"):
        read_torch_file(str(tmp_path / "cut.pth"))


def test_any_byte_may_be_wrong(write, state, tmp_path):
    """Whatever is changed in a file: arrays, or one sentence."""
    value, storages, _ = state
    content = bytearray(open(write(value, storages), "rb").read())
    random = np.random.default_rng(1)
    for _ in range(200):
        changed = bytearray(content)
        changed[random.integers(len(content))] = random.integers(256)
        (tmp_path / "net.pth").write_bytes(changed)
        try:
            read_torch_file(str(tmp_path / "net.pth"))
        except InputError:
            pass
