"""An inspection tells of any SavedModel what would hurt a server, and passes what does not."""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfwarpgan.errors import InputError
from tfwarpgan.serving.exporting.check import sample_inputs
from tfwarpgan.serving.exporting.inspection import inspect
from tfwarpgan.serving.exporting.publish import publish
from tfwarpgan.serving.exporting.signatures import signature_specs
from tfwarpgan.serving.wire.messages import PredictionLog
from tfwarpgan.serving.wire.tensors import to_proto
from tfwarpgan.serving.wire.warmup import WARMUP_FILE, write_warmup


def saved(path, function, spec):
    """A SavedModel of one function of a tensor `x`."""
    module = tf.Module()
    module.function = tf.function(function, input_signature=[tf.TensorSpec(*spec, name="x")])
    tf.saved_model.save(module, str(path), signatures=module.function)
    return str(path)


def test_an_export_is_sound(tmp_path, pipeline, parse):
    path, _ = publish(pipeline, str(tmp_path), parse=parse, batch_sizes=(1, 2))
    found = inspect(path, (1, 8))
    assert found.problems == [] and found.forbidden == [] and found.warmup == 8
    assert found.identity == tf.saved_model.experimental.read_fingerprint(path).singleprint()
    assert set(found.signatures) == {"serving_default", "encoded", "photograph", "photograph_encoded"}
    for report in found.signatures.values():
        assert (report.unnamed, report.depends, report.untried) == ([], "", "")
        assert set(report.sizes) == {1, 8} and report.sizes[8][0] > 4 * report.sizes[1][0]
    assert "rows: independent of their batch" in "\n".join(found.lines())


def test_message_sizes_are_those_of_the_tensors(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.cast(x, tf.float64)}, ([None, 1000], tf.float32))
    ((request, answer),) = inspect(path, [3]).signatures["serving_default"].sizes.values()
    assert 12_000 < request < 12_100 and 24_000 < answer < 24_100


def test_an_answer_above_the_clients_limit_is_told(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.tile(x, [1, 300_000])}, ([None, 4], tf.float32))
    text = "\n".join(inspect(path, [1]).lines())
    assert "4.58 MiB (above a client's default limit of 4.00 MiB)" in text


@pytest.mark.parametrize(
    "function",
    [
        lambda x: {"y": x - tf.reduce_mean(x)},
        lambda x: {"y": tf.reverse(x, [0])},
        lambda x: {"y": x + tf.cast(tf.shape(x)[0], tf.float32)},
    ],
    ids=["mean of the batch", "order", "size"],
)
def test_rows_that_depend_on_their_batch_are_a_problem(tmp_path, function):
    (problem,) = inspect(saved(tmp_path / "m", function, ([None, 4], tf.float32))).problems
    assert problem.startswith("serving_default: the rows of y depend on their batch")


def test_an_output_without_rows_is_a_problem(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.reduce_sum(x)}, ([None, 4], tf.float32))
    assert "which a batching server cannot divide" in inspect(path).problems[0]


def test_forbidden_operations_are_problems(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.numpy_function(np.sin, [x], tf.float32)}, ([None, 4], tf.float32))
    assert inspect(path).problems[0] == "PyFunc is an operation that a server lacks."


def test_unnamed_and_unknown_dimensions_are_told(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": x + 1}, ([None, None, 4], tf.float32))
    found = inspect(path)
    assert found.signatures["serving_default"].unnamed == ["x [-1, -1, 4] at 0, 1", "y [-1, -1, 4] at 0, 1"]
    assert found.problems == [] and not found.signatures["serving_default"].untried


@pytest.mark.parametrize(
    "spec, told", [(([2, 4], tf.float32), "a batch of free size"), (([None], tf.string), "no warm-up request")]
)
def test_what_cannot_be_tried_is_told(tmp_path, spec, told):
    path = saved(tmp_path / "m", lambda x: {"y": tf.identity(x)}, spec)
    assert told in inspect(path).signatures["serving_default"].untried


def test_strings_are_tried_with_the_warm_up(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.strings.to_number(x)}, ([None], tf.string))
    write_warmup(path, "m", {"serving_default": ["x"]}, {"x": np.array([b"1", b"2.5"], object)}, [1, 2])
    report = inspect(path).signatures["serving_default"]
    assert report.untried == "" and report.sizes[1][0] > 0


def test_a_single_row_cannot_tell(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.strings.to_number(x)}, ([None], tf.string))
    write_warmup(path, "m", {"serving_default": ["x"]}, {"x": np.array([b"1"], object)}, [1])
    assert "single row" in inspect(path).signatures["serving_default"].untried


def test_a_failing_warm_up_is_a_problem(tmp_path):
    path = saved(tmp_path / "m", lambda x: {"y": tf.strings.to_number(x)}, ([None], tf.string))
    write_warmup(path, "m", {"serving_default": ["x"], "other": ["x"]}, {"x": np.array([b"one"], object)}, [1])
    first, second = inspect(path).problems
    assert "Warm-up request 1 fails" in first and 'signature key "other" not found' in second


def doubling(path):
    return saved(path, lambda x: {"y": x * 2}, ([None, 4], tf.float32))


def predict_record(**inputs):
    record = PredictionLog()
    for name, value in inputs.items():
        record.predict_log.request.inputs[name].CopyFrom(to_proto(value))
    return record


def write(path, records):
    os.mkdir(os.path.join(path, "assets.extra"))
    with tf.io.TFRecordWriter(os.path.join(path, WARMUP_FILE)) as writer:
        for record in records:
            writer.write(record.SerializeToString())


def test_more_warm_up_requests_than_a_server_takes_are_a_problem(tmp_path):
    good = predict_record(x=np.ones([1, 4], np.float32))  # of the default signature, which it does not name
    write(doubling(tmp_path / "most"), [good] * 1000)
    assert inspect(str(tmp_path / "most")).problems == []
    write(doubling(tmp_path / "more"), [good] * 1001)
    found = inspect(str(tmp_path / "more"))
    assert found.warmup == 1001 and len(found.problems) == 1
    assert found.problems[0].startswith("1001 warm-up requests are more than the 1000 that a server takes")


@pytest.mark.parametrize(
    "record, told",
    [
        (PredictionLog(session_run_log={}), "Unsupported log_type for warmup: session_run_log"),
        (PredictionLog(), "Unsupported log_type for warmup: None"),
        (PredictionLog(regress_log={"request": {"model_spec": {"signature_name": "r"}}}), "No signature was found"),
        (predict_record(x=np.ones([1, 4], np.float32), z=np.ones(1)), "input size does not match signature"),
        (predict_record(x=np.ones([1, 4])), "but double is provided"),
    ],
    ids=["session run", "no log", "regression", "too many inputs", "type"],
)
def test_records_that_a_service_refuses_are_problems(tmp_path, record, told):
    path = doubling(tmp_path / "m")
    write(path, [predict_record(x=np.ones([3, 4], np.float32)), record])
    (problem,) = inspect(path).problems
    assert problem.startswith("Warm-up request 2 fails, and the version would not load: ") and told in problem


def test_what_is_no_saved_model_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be loaded .*No such file"):
        inspect(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        inspect(str(tmp_path))
    assert "\n" not in str(caught.value)


def save_signature(path, function, **specs):
    """A SavedModel of one function of named inputs, each (shape, type)."""
    module = tf.Module()
    specs = [tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in specs.items()]
    module.function = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, str(path), signatures=module.function)
    return str(path)


def pixels(image):
    return {"y": tf.cast(image, tf.float32) * 2}


@pytest.mark.parametrize(
    "shape, dtype, request_bytes",
    [
        ([None, None, None, 3], tf.uint8, 8 * 8 * 3),
        ([None, None, None, 3], tf.float32, 4 * 8 * 8 * 3),
        ([None, 784], tf.float32, 4 * 784),
        ([None, 28, 28, 1], tf.float32, 4 * 784),
        ([None, 28, 28, 3], tf.float32, 4 * 28 * 28 * 3),
        ([None], tf.int64, 8),
    ],
)
def test_an_input_that_is_called_as_ours_is_not_taken_for_ours(tmp_path, shape, dtype, request_bytes):
    report = inspect(save_signature(tmp_path / "m", pixels, image=(shape, dtype))).signatures["serving_default"]
    assert (report.untried, report.depends) == ("", "")
    assert 0 < report.sizes[1][0] - request_bytes < 80


def test_some_of_our_inputs_are_tried_with_their_warm_up(tmp_path):
    poses = {"target_keypoints": np.random.default_rng(0).random([2, 18, 2], np.float32)}
    path = save_signature(
        tmp_path / "m", lambda target_keypoints: {"y": target_keypoints}, target_keypoints=([None, 18, 2], tf.float32)
    )
    write_warmup(path, "m", {"serving_default": poses}, poses, [1, 2])
    report = inspect(path).signatures["serving_default"]
    assert (report.untried, report.depends) == ("", "") and report.sizes[1][0] > 18 * 2 * 4


def test_bytes_that_are_no_pictures_are_those_of_the_warm_up(tmp_path):
    specs = {name: (spec.shape, spec.dtype) for name, spec in signature_specs(1, 1, True)["photograph_encoded"].items()}

    def lengths(image_bytes, target_keypoints, target_visible):
        del target_keypoints, target_visible
        return {"y": tf.strings.length(image_bytes)}

    path = save_signature(tmp_path / "m", lengths, **specs)
    inputs = {**sample_inputs(8, 8), "image_bytes": np.array([b"one", b"three"], object)}
    write_warmup(path, "m", {"serving_default": specs}, inputs, [2])
    report = inspect(path).signatures["serving_default"]
    assert (report.untried, report.depends) == ("", "") and report.sizes


def test_rows_of_other_shapes_in_a_batch_are_a_problem(tmp_path):
    def padded(x):
        return {"y": tf.ragged.range(1 + tf.cast(x * 1000, tf.int32)).to_tensor()}

    (problem,) = inspect(saved(tmp_path / "m", padded, ([None], tf.float32))).problems
    assert "other shapes" in problem


def test_what_refuses_random_values_is_told(tmp_path):
    def short(x):
        with tf.control_dependencies([tf.debugging.Assert(tf.shape(x)[1] > 100, ["too short"])]):
            return {"y": tf.identity(x)}

    found = inspect(saved(tmp_path / "m", short, ([None, None], tf.float32)))
    told = found.signatures["serving_default"].untried
    assert told.startswith("not tried: random values are refused (assertion failed: [too short]") and not found.problems


def test_a_signature_without_inputs_is_told(tmp_path):
    module = tf.Module()
    module.function = tf.function(lambda: {"y": tf.constant([1.0])}, input_signature=[])
    tf.saved_model.save(module, str(tmp_path / "m"), signatures=module.function)
    assert "not all inputs have a batch" in inspect(str(tmp_path / "m")).signatures["serving_default"].untried


def rewrite(path, change):
    """Changes the meta graph of a SavedModel in its file."""
    file = pathlib.Path(path) / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    change(saved_model.meta_graphs[0])
    file.write_bytes(saved_model.SerializeToString())


def with_unknown_operation(meta_graph):
    for function in meta_graph.graph_def.library.function:
        for node in function.node_def:
            node.op = "NobodysSine" if node.op == "Sin" else node.op


def without_tag(meta_graph):
    meta_graph.meta_info_def.tags[:] = ["train"]


@pytest.mark.parametrize(
    "change, told, signatures",
    [
        (with_unknown_operation, "Op type not registered 'NobodysSine'", {"serving_default"}),
        (without_tag, "MetaGraphDef associated with tags 'serve'", set()),
    ],
    ids=["operation", "tag"],
)
def test_what_cannot_be_loaded_is_told_with_all_that_its_file_tells(tmp_path, change, told, signatures):
    def function(x):
        return {"y": tf.numpy_function(np.sin, [tf.sin(x)], tf.float32)}

    path = saved(tmp_path / "m", function, ([None, 4], tf.float32))
    rewrite(path, change)
    write(path, [predict_record(x=np.ones([1, 4], np.float32))])
    found = inspect(path)
    assert found.forbidden == ["PyFunc"] and found.warmup == 1
    first, second = found.problems
    assert first == "PyFunc is an operation that a server lacks."
    assert second.startswith("It cannot be loaded: ") and told in second and "\n" not in second
    assert set(found.signatures) == signatures
    for report in found.signatures.values():
        assert report.unnamed[0] == "x [-1, 4] at 0" and report.untried == "not tried: it cannot be loaded"
