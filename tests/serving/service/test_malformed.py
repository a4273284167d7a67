"""Whatever a client sends, the process lives and answers the next request."""

import itertools
import struct
import subprocess
import sys
import zlib

import grpc
import numpy as np
import pytest

from tfwarpgan.serving.wire import messages


@pytest.fixture(scope="module", params=["false", "true"], ids=["one by one", "batching"])
def service(everything, connect, root, request):
    """A service in a process of its own, which an abort would end, and a client of it."""
    command = [sys.executable, "-m", "tfwarpgan.serve", "--port=0", "--model_name=tiny"]
    process = subprocess.Popen(
        [*command, f"--model_base_path={everything}", f"--enable_batching={request.param}"],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    address = process.stdout.readline().split()[-1]
    with connect(address) as client:
        client.process = process
        yield client
    process.terminate()
    assert process.wait(20) == 0


def survives(client, rows):
    assert client.process.poll() is None
    assert client.predict(rows(1))[0] == 1


def attempt(client, inputs, signature="serving_default"):
    """The code of the answer, "OK" or the error's."""
    try:
        client.predict(inputs, signature_name=signature)
    except grpc.RpcError as error:
        assert error.details()
        return error.code().name
    return "OK"


TYPES = ["float32", "float64", "float16", "int8", "int64", "uint8", "uint64", "bool", "complex64", "object"]


@pytest.mark.parametrize("rank", range(6))
def test_ranks(service, rows, rank):
    x = np.zeros([3] * rank, np.float32)
    ensured = attempt(service, {"x": x, "z": np.zeros(3, np.float32)})
    assert ensured == ("OK" if rank == 2 else "INVALID_ARGUMENT")
    assert attempt(service, {"x": x}, "careless") == ("OK" if rank == 4 else "INVALID_ARGUMENT")
    assert attempt(service, {"x": x}, "positive") == ("OK" if rank == 1 else "INVALID_ARGUMENT")
    # What a graph takes is taken, whatever is declared.
    assert attempt(service, {"x": x}, "batch") == ("OK" if rank else "INVALID_ARGUMENT")
    survives(service, rows)


@pytest.mark.parametrize("dtype", TYPES)
def test_types(service, rows, dtype):
    array = np.full([1, 8, 8, 3], b"1", object) if dtype == "object" else np.ones([1, 8, 8, 3], dtype)
    assert attempt(service, {"x": array}, "careless") == ("OK" if dtype == "float32" else "INVALID_ARGUMENT")
    assert attempt(service, {"image_bytes": array.reshape(-1)}, "encoded") == "INVALID_ARGUMENT"
    survives(service, rows)


@pytest.mark.parametrize(
    "sizes", [[2**31, 3], [2**40, 2**40], [2**62, 4], [-1, 3], [2**63 - 1], [1] * 300, [10**5, 10**5]]
)
@pytest.mark.parametrize("values", [{}, {"float_val": [1.0]}, {"tensor_content": b"1234"}])
def test_huge_shapes(service, rows, sizes, values):
    proto = messages.TensorProto(dtype=1, tensor_shape={"dim": [{"size": size} for size in sizes]}, **values)
    assert attempt(service, {"x": proto}, "positive") == "INVALID_ARGUMENT"
    proto = messages.TensorProto(dtype=7, tensor_shape=proto.tensor_shape, string_val=[b"a"])
    assert attempt(service, {"image_bytes": proto}, "encoded") == "INVALID_ARGUMENT"
    survives(service, rows)


def test_a_large_shape_of_one_value_takes_no_memory_before_it_is_checked(service, rows):
    survives(service, rows)
    before = peak_megabytes(service.process.pid)
    shape = {"dim": [{"size": 6_000_000}, {"size": 10}, {"size": 1}]}  # 240 MB of floats, and x has two dimensions
    wide = messages.TensorProto(dtype=1, tensor_shape=shape, float_val=[1.0])
    assert attempt(service, {"x": wide, "z": np.zeros(1, np.float32)}, "serving_default") == "INVALID_ARGUMENT"
    assert peak_megabytes(service.process.pid) - before < 100
    survives(service, rows)


def peak_megabytes(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmHWM"))


def test_tensors_of_unknown_kinds(service, rows):
    shape = {"dim": [{"size": 1}]}
    for dtype in [*range(0, 32), 101, 255]:
        proto = messages.TensorProto(dtype=dtype, tensor_shape=shape)
        assert attempt(service, {"x": proto}, "positive") == ("OK" if dtype == 1 else "INVALID_ARGUMENT")
    unknown = messages.TensorProto(dtype=1, tensor_shape={"unknown_rank": True})
    assert attempt(service, {"x": unknown}, "positive") == "INVALID_ARGUMENT"
    survives(service, rows)


def test_numbers_that_are_none(service, rows):
    for value in (np.nan, np.inf, -np.inf, np.float32(3e38)):
        array = np.full([1, 3], value, np.float32)
        version, arrays = service.predict({"x": array, "z": np.zeros(1, np.float32)})
        assert version == 1 and not np.isfinite(arrays["y"]).all()
    survives(service, rows)


def png(width, height, data=b"", bits=8, color=2):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


GOOD = png(4, 4, zlib.compress((b"\x00" + b"\x80" * 12) * 4))
PICTURES = {
    "empty": b"",
    "text": b"not a picture",
    "truncated": GOOD[: len(GOOD) // 2],
    "no data": png(4, 4),
    "another size": png(5, 4, zlib.compress((b"\x00" + b"\x80" * 15) * 4)),
    "bomb by its header": png(60000, 60000, zlib.compress(b"")),
    "bomb by its data": png(4, 4, zlib.compress(b"\x00" * 10**8)),
    "largest sizes": png(2**31 - 1, 2**31 - 1),
    "no size": png(0, 0),
    "JPEG header": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xc0" * 20,
    "GIF header": b"GIF89a\xff\xff\xff\xff\x80\x00\x00" + b"\x2c" * 30,
    "BMP header": b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, -(2**31), -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    "WebP header": b"RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f" + b"\x00" * 30,
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(service, rows, name):
    picture = np.array([GOOD, PICTURES[name]], object)
    code = attempt(service, {"image_bytes": picture}, "encoded")
    # The decoder stops at the rows that the header promises.
    assert code == "OK" if name == "bomb by its data" else code in ("INVALID_ARGUMENT", "UNIMPLEMENTED")
    survives(service, rows)


def test_an_error_that_quotes_bytes_which_are_no_text(service, rows):
    with pytest.raises(grpc.RpcError) as caught:
        service.predict({"x": np.array([b"\xff\xfe", b"\xff\xfe\xfd\xfc"], object)}, signature_name="header")
    assert caught.value.code().name == "INVALID_ARGUMENT" and "pos 3 out of range" in caught.value.details()
    survives(service, rows)


def test_the_good_picture_is_good(service):
    _, arrays = service.predict({"image_bytes": np.array([GOOD], object)}, signature_name="encoded")
    assert arrays["image_bytes"][0].startswith(b"\x89PNG")


def test_broken_files(service, rows, bad_inputs):
    files = [path for path in sorted(bad_inputs.rglob("*")) if path.is_file() and path.stat().st_size < 4e6][:60]
    assert files
    for path in files:
        attempt(service, {"image_bytes": np.array([path.read_bytes()], object)}, "encoded")
    survives(service, rows)


def test_bytes_that_are_no_request(service, rows):
    random = np.random.default_rng(0)
    call = service.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    good = messages.PredictRequest(model_spec={"name": "tiny"})
    good.inputs["x"].float_val.extend([1] * 9)
    good = good.SerializeToString()
    for length, position in itertools.product((1, 10, 1000), range(0, len(good), 7)):
        data = bytearray(good)
        data[position : position + length] = random.integers(0, 256, length, np.uint8).tobytes()
        with pytest.raises(grpc.RpcError):
            call(bytes(data), timeout=10)
    survives(service, rows)
