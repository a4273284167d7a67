"""The signatures give what the pipeline gives, refuse what does not fit, and treat the rows of a batch alone."""

import contextlib
import io
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.serving.exporting.check import SavedModelSession
from tfwarpgan.serving.exporting.signatures import build_signatures, from_pixels, to_pixels


def png(array, palette=None):
    image = Image.fromarray(array)
    if palette is not None:
        image.putpalette(palette)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def served(tmp_path_factory, pipeline, parse):
    path = str(tmp_path_factory.mktemp("saved") / "model")
    module, functions = build_signatures(pipeline, parse)
    tf.saved_model.save(module, path, signatures=functions)
    with SavedModelSession(path) as session:
        yield session


def expected(pipeline, inputs, parsing):
    batch = {
        "condition_image": from_pixels(inputs["image"]),
        "condition_parsing": parsing,
        "target_keypoints": inputs["target_keypoints"],
        "target_visible": inputs["target_visible"],
    }
    return to_pixels(pipeline(batch)["image"]).numpy()


def close(first, second):
    """Equal but for a value that fell to the other side of a rounding."""
    difference = np.abs(first.astype(int) - second.astype(int))
    return first.shape == second.shape and difference.max() <= 1 and difference.mean() < 0.01


def decoded(outputs):
    return np.stack([np.asarray(Image.open(io.BytesIO(value))) for value in outputs["image_bytes"]])


def test_pixels_are_rounded_and_clipped():
    values = tf.constant([-1.2, -1.0, 0.0, 1.0, 1.7, 10 / 127.5 - 1, 10.4 / 127.5 - 1])
    assert to_pixels(values).numpy().tolist() == [0, 0, 128, 255, 255, 10, 10]
    every = tf.range(256)
    assert to_pixels(from_pixels(every)).numpy().tolist() == list(range(256))


def test_the_signatures_are_named_and_typed(served):
    found = {name: (set(of.inputs), set(of.outputs)) for name, of in served.signatures.items()}
    pose = {"target_keypoints", "target_visible"}
    assert found == {
        "serving_default": ({"image", "condition_parsing", *pose}, {"image"}),
        "encoded": ({"image_bytes", "parsing_bytes", *pose}, {"image_bytes"}),
        "photograph": ({"image", *pose}, {"image"}),
        "photograph_encoded": ({"image_bytes", *pose}, {"image_bytes"}),
    }
    image = served.signatures["serving_default"].inputs["image"]
    assert image.dtype == tf.uint8.as_datatype_enum
    assert [dimension.size for dimension in image.tensor_shape.dim] == [-1, 16, 8, 3]


def test_without_a_human_parser_the_parsing_is_an_input(pipeline):
    _, functions = build_signatures(pipeline)
    assert set(functions) == {"serving_default", "encoded"}


def test_the_answer_is_the_pipelines(served, pipeline, inputs):
    answer = served("serving_default", inputs)["image"]
    assert answer.dtype == np.uint8
    assert close(answer, expected(pipeline, inputs, inputs["condition_parsing"]))
    assert answer.std() > 5  # a picture, not a constant


def test_bytes_give_the_same_as_pixels(served, inputs):
    assert np.array_equal(decoded(served("encoded", inputs)), served("serving_default", inputs)["image"])
    assert np.array_equal(decoded(served("photograph_encoded", inputs)), served("photograph", inputs)["image"])


def test_a_jpeg_is_taken(served, inputs):
    stream = io.BytesIO()
    Image.fromarray(np.full([16, 8, 3], 90, np.uint8)).save(stream, "JPEG", quality=100)
    values = {**inputs, "image_bytes": np.array([stream.getvalue()] * 3, object)}
    plain = {**inputs, "image": np.full([3, 16, 8, 3], 90, np.uint8)}
    assert close(decoded(served("encoded", values)), served("serving_default", plain)["image"])


def test_a_photograph_is_parsed_first(served, pipeline, parse, inputs):
    scores = parse(from_pixels(inputs["image"]))
    parsing = tf.cast(tf.argmax(scores, -1), tf.uint8)
    assert len(np.unique(parsing)) > 1
    assert close(served("photograph", inputs)["image"], expected(pipeline, inputs, parsing))


@pytest.mark.parametrize("name", ["serving_default", "encoded", "photograph", "photograph_encoded"])
def test_a_row_does_not_depend_on_its_batch(served, inputs, name):
    def call(rows):
        (answer,) = served(name, {key: value[rows] for key, value in inputs.items()}).values()
        return answer

    whole = call(slice(0, 3))
    parts = np.concatenate([call(slice(0, 1)), call(slice(1, 3))])
    assert np.array_equal(whole, parts)
    assert not np.array_equal(whole[0], whole[1])


@pytest.mark.parametrize("name", ["serving_default", "encoded"])
def test_an_empty_batch_ends_nothing(served, inputs, name):
    with contextlib.suppress(tf.errors.InvalidArgumentError):
        (answer,) = served(name, {key: value[:0] for key, value in inputs.items()}).values()
        assert answer.shape[0] == 0
    served(name, inputs)


@pytest.mark.parametrize(
    "name, key, change",
    [
        ("serving_default", "image", lambda x: x[0]),
        ("serving_default", "image", lambda x: x[:, :8]),
        ("serving_default", "image", lambda x: x.repeat(2, axis=1)),
        ("serving_default", "image", lambda x: x[..., :1]),
        ("serving_default", "condition_parsing", lambda x: x[..., None]),
        ("serving_default", "condition_parsing", lambda x: x[:, :, :4]),
        ("serving_default", "target_keypoints", lambda x: x[:, :17]),
        ("serving_default", "target_keypoints", lambda x: x.reshape(3, 36)),
        ("serving_default", "target_visible", lambda x: x[0]),
        ("serving_default", "target_visible", lambda x: x[:2]),
        ("encoded", "image_bytes", lambda x: x[:, None]),
        ("encoded", "parsing_bytes", lambda x: x[0]),
        ("photograph", "image", lambda x: x[:, :8]),
    ],
)
def test_a_wrong_rank_or_size_is_an_error(served, inputs, name, key, change):
    with pytest.raises(tf.errors.InvalidArgumentError):
        served(name, {**inputs, key: change(inputs[key])})
    served(name, inputs)  # and the session lives on


@pytest.mark.parametrize(
    "key, value",
    [
        ("image_bytes", b"no picture"),
        ("image_bytes", b""),
        ("image_bytes", png(np.zeros([8, 16, 3], np.uint8))),
        ("parsing_bytes", png(np.zeros([16, 16], np.uint8))),
        ("parsing_bytes", png(np.full([16, 8], 20, np.uint8))),
        ("parsing_bytes", png(np.zeros([16, 8], np.uint8), palette=[0, 0, 0, 9, 9, 9])),
        ("parsing_bytes", png(np.zeros([16, 8, 3], np.uint8))),
        ("parsing_bytes", b"short"),
    ],
    ids=["text", "empty", "turned", "parsing size", "label 20", "palette", "colours", "short"],
)
def test_bytes_that_do_not_fit_are_an_error(served, inputs, key, value):
    values = np.array([*inputs[key][:2], value], object)
    with pytest.raises(tf.errors.InvalidArgumentError):
        served("encoded", {**inputs, key: values})


def bomb(kind):
    """A picture of 12,000 x 12,000 pixels in a few kilobytes, of which only the header is looked at."""
    stream = io.BytesIO()
    Image.new("L", [12000, 12000]).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_bomb_is_refused_by_its_header(served, inputs, kind):
    values = np.array([bomb(kind)] * 3, object)
    start = time.perf_counter()
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be (of 16 x 8|a JPEG or a PNG)"):
        served("encoded", {**inputs, "image_bytes": values})
    assert time.perf_counter() - start < 0.5  # decoding one takes longer


def test_two_exports_of_one_model_are_the_same(tmp_path, pipeline, parse):
    for name in ("a", "b"):
        module, functions = build_signatures(pipeline, parse)
        tf.saved_model.save(module, str(tmp_path / name), signatures=functions)
        order = [variable.shape.as_list() for variable in module.parameters]
        assert order == [[1, 1, 3, 20], [20], [3, 3, 59, 3], [3]] or order == [[3, 3, 59, 3], [3], [1, 1, 3, 20], [20]]
    first, second = (tf.saved_model.experimental.read_fingerprint(str(tmp_path / name)) for name in ("a", "b"))
    assert first.checkpoint_hash == second.checkpoint_hash


def test_labels_above_19_are_an_error(served, inputs):
    parsing = inputs["condition_parsing"].copy()
    parsing[2, 3, 4] = 20
    with pytest.raises(tf.errors.InvalidArgumentError, match="labels below 20"):
        served("serving_default", {**inputs, "condition_parsing": parsing})


def test_the_place_of_a_missing_joint_does_not_matter(served, inputs):
    keypoints = inputs["target_keypoints"].copy()
    keypoints[~inputs["target_visible"]] = np.nan
    answer = served("serving_default", {**inputs, "target_keypoints": keypoints})["image"]
    assert np.array_equal(answer, served("serving_default", inputs)["image"])
