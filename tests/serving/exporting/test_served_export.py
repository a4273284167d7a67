"""An export as `publish` leaves it, served by the command: whatever it is sent, the process lives and answers."""

import io
import struct
import zlib

import grpc
import numpy as np
import pytest
from PIL import Image

from tfwarpgan.serving.client import Client, ServerError
from tfwarpgan.serving.exporting.check import sample_inputs
from tfwarpgan.serving.exporting.publish import publish

HEIGHT, WIDTH = 16, 8
POSE = ("target_keypoints", "target_visible")
INPUTS = {"serving_default": ("image", "condition_parsing", *POSE), "encoded": ("image_bytes", "parsing_bytes", *POSE)}


@pytest.fixture(scope="module", params=["false", "true"], ids=["one by one", "batching"])
def served(command, pipeline, tmp_path_factory, request):
    """A client of the process, and the process."""
    folder = tmp_path_factory.mktemp("served") / "people"
    publish(pipeline, str(folder), batch_sizes=(1, 2))
    with command(folder, f"--enable_batching={request.param}") as (process, target), Client(target, "people") as client:
        yield client, process


def ask(client, signature, **changed):
    """The one output of three rows, of which some inputs are changed."""
    samples = {**sample_inputs(HEIGHT, WIDTH), **changed}
    (answer,) = client.predict({name: samples[name] for name in INPUTS[signature]}, signature).values()
    return answer


@pytest.fixture
def refused(served):
    """Function of what `ask` takes: it must be an INVALID_ARGUMENT, after which the next request is answered."""
    client, process = served

    def refused(signature, **changed):
        with pytest.raises(ServerError) as caught:
            ask(client, signature, **changed)
        assert caught.value.code == grpc.StatusCode.INVALID_ARGUMENT and caught.value.details
        assert process.poll() is None
        assert len(ask(client, signature)) == 3

    return refused


def picture(kind="PNG", size=(WIDTH, HEIGHT), mode="RGB", value=5):
    file = io.BytesIO()
    Image.new(mode, size, value if mode in "LP" else (value,) * len(mode)).save(file, kind)
    return file.getvalue()


def png(width, height, content, bits=8, colour=2):
    """A PNG whose header may promise anything."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


def jpeg_of_size(height, width):
    """A JPEG whose header promises a size."""
    good = picture("JPEG")
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", height, width) + good[at + 4 :]


ZEROS = b"\x00" * 10**8
PICTURES = {
    "empty": b"",
    "text": b"no picture",
    "truncated PNG": picture()[:60],
    "PNG header alone": picture()[:26],
    "PNG start alone": picture()[:8],
    "half of a PNG's size": picture()[:20],
    "truncated JPEG": picture("JPEG")[:-30],
    "JPEG start alone": b"\xff\xd8\xff",
    "JPEG of noise": b"\xff\xd8\xff\xe0" + b"\xff\xc0\x00\x05" * 20,
    "wider PNG": picture(size=(WIDTH + 1, HEIGHT)),
    "PNG on its side": picture(size=(HEIGHT, WIDTH)),
    "larger JPEG": picture("JPEG", size=(4 * WIDTH, 4 * HEIGHT)),
    "PNG bomb": png(60000, 60000, ZEROS),
    "largest PNG": png(2**31 - 1, 2**31 - 1, b""),
    "JPEG bomb": jpeg_of_size(65000, 65000),
    "PNG without rows": png(WIDTH, HEIGHT, b""),
    "GIF": picture("GIF", mode="P"),
    "BMP": picture("BMP"),
    "WebP": picture("WEBP"),
}
PARSINGS = {
    **PICTURES,
    "RGB": picture(),
    "JPEG": picture("JPEG", mode="L"),
    "16 bits": png(WIDTH, HEIGHT, b"\x00" * (1 + 2 * WIDTH) * HEIGHT, bits=16, colour=0),
    "palette": picture(mode="P"),
    "label 20": picture(mode="L", value=20),
}
GOOD = {"image_bytes": picture(), "parsing_bytes": picture(mode="L")}


def test_the_good_ones_are_answered(served):
    client, _ = served
    for bytes_ in (picture(), picture("JPEG")):
        answer = ask(client, "encoded", image_bytes=[bytes_] * 3, parsing_bytes=[GOOD["parsing_bytes"]] * 3)
        assert all(each.startswith(b"\x89PNG") for each in answer)
    assert ask(client, "serving_default").shape == (3, HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    "name, case",
    [*(("image_bytes", case) for case in PICTURES), *(("parsing_bytes", case) for case in PARSINGS)],
)
def test_what_is_no_picture_of_the_models_size(refused, name, case):
    bad = {"image_bytes": PICTURES, "parsing_bytes": PARSINGS}[name][case]
    refused("encoded", **{name: [GOOD[name], bad, GOOD[name]]})


def test_bombs_take_no_memory(served, refused):
    def peak():
        with open(f"/proc/{served[1].pid}/status") as file:
            return next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmHWM"))

    before = peak()
    for case in ("PNG bomb", "largest PNG", "JPEG bomb"):
        refused("encoded", image_bytes=[PICTURES[case]] * 3)
    assert peak() - before < 100


@pytest.mark.parametrize(
    "name, shape",
    [
        ("image", [3, HEIGHT, WIDTH]),
        ("image", [3, HEIGHT, WIDTH, 3, 1]),
        ("image", [3, HEIGHT + 1, WIDTH, 3]),
        ("image", [3, HEIGHT, WIDTH, 4]),
        ("image", [2, HEIGHT, WIDTH, 3]),
        ("image", []),
        ("condition_parsing", [3, WIDTH, HEIGHT]),
        ("condition_parsing", [3, HEIGHT, WIDTH, 1]),
        ("target_keypoints", [3, 17, 2]),
        ("target_keypoints", [3, 36]),
        ("target_visible", [3, 18, 1]),
        ("image_bytes", [3, 1]),
        ("parsing_bytes", []),
    ],
)
def test_wrong_shapes(refused, name, shape):
    samples = sample_inputs(HEIGHT, WIDTH)
    for signature in (signature for signature, names in INPUTS.items() if name in names):
        value = np.full(shape, GOOD[name], object) if name in GOOD else np.ones(shape, samples[name].dtype)
        refused(signature, **{name: value})


@pytest.mark.parametrize("signature", INPUTS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_keypoints_that_are_no_numbers(served, signature, value):
    """Those of joints that are not visible do not count; of any others the picture is somehow, and is an answer."""
    client, process = served
    samples = sample_inputs(HEIGHT, WIDTH)
    keypoints = np.where(samples["target_visible"][..., None], samples["target_keypoints"], np.float32(value))
    assert np.array_equal(ask(client, signature, target_keypoints=keypoints), ask(client, signature))
    assert len(ask(client, signature, target_keypoints=np.full_like(keypoints, value))) == 3
    assert process.poll() is None
