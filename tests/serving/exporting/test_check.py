"""The check finds what a server could not run, and answers that are not the model's."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import tensorflow_addons
from tfwarpgan.serving.exporting.check import HALF_TOLERANCE, TOLERANCE, check, forbidden_ops, operations
from tfwarpgan.serving.exporting.signatures import build_signatures, signature_specs
from tfwarpgan.serving.wire.messages import PredictionLog
from tfwarpgan.serving.wire.warmup import WARMUP_FILE, write_warmup


def saved(path, function, shape=(None, 4)):
    """A SavedModel of one function of a float32 tensor."""
    module = tf.Module()
    module.function = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32, "x")])
    tf.saved_model.save(module, str(path), signatures=module.function)
    return str(path)


@pytest.fixture
def exported(tmp_path, pipeline, parse):
    module, functions = build_signatures(pipeline, parse)
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=functions)
    return str(tmp_path / "model")


def test_an_export_holds_core_operations_only(exported):
    found = operations(exported)
    assert {"Conv2D", "EnsureShape", "DecodeImage", "EncodePng"} <= found
    assert forbidden_ops(exported) == []


def test_python_in_the_graph_is_found(tmp_path):
    path = saved(tmp_path / "model", lambda x: {"y": tf.numpy_function(np.sin, [x], tf.float32)})
    assert forbidden_ops(path) == ["PyFunc"]


def test_printing_is_found_within_a_function(tmp_path):
    @tf.function
    def inner(x):
        tf.print(x)
        return x + 1

    assert forbidden_ops(saved(tmp_path / "model", lambda x: {"y": inner(x)})) == ["PrintV2"]


def test_compilation_is_found(tmp_path):
    inner = tf.function(lambda x: x + 1, jit_compile=True)
    assert forbidden_ops(saved(tmp_path / "model", lambda x: {"y": inner(x)})) == ["XLA"]


@pytest.mark.skipif(tensorflow_addons is None, reason="tensorflow-addons is not there on this stack")
def test_an_operation_of_addons_is_found(tmp_path):
    def warp(x):
        return {"y": tensorflow_addons.image.resampler(x, tf.zeros([1, 2, 2, 2]))}

    assert forbidden_ops(saved(tmp_path / "model", warp, [1, 4, 4, 3])) == ["Addons>Resampler"]


def test_the_check_reports_each_signature(exported, pipeline, parse):
    report = check(exported, pipeline, parse)
    assert set(report) == {"serving_default", "encoded", "photograph", "photograph_encoded"}
    for found in report.values():
        assert found["largest"] <= 1 and found["mean"] < 0.01 and found["rows"] == 0


def test_a_forbidden_operation_fails_the_check(tmp_path, pipeline):
    path = saved(tmp_path / "model", lambda x: {"y": tf.numpy_function(np.sin, [x], tf.float32)})
    with pytest.raises(RuntimeError, match="PyFunc"):
        check(path, pipeline)


@pytest.mark.parametrize("tolerance", [TOLERANCE, HALF_TOLERANCE])
def test_other_weights_fail_the_check(exported, pipeline, parse, tolerance):
    kernel = pipeline.convolution.kernel
    before = kernel.numpy()
    kernel.assign(before * 1.1)
    try:
        with pytest.raises(RuntimeError, match="does not answer"):
            check(exported, pipeline, parse, tolerance)
    finally:
        kernel.assign(before)


def test_rows_that_depend_on_their_batch_fail_the_check(tmp_path, pipeline):
    class Mixed(tf.Module):
        height, width, inputs = pipeline.height, pipeline.width, pipeline.inputs

        def __call__(self, batch):
            image = pipeline(batch)["image"]
            return {"image": image - tf.reduce_mean(image)}

    module, functions = build_signatures(Mixed())
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=functions)
    with pytest.raises(RuntimeError, match="does not answer"):
        check(str(tmp_path / "model"), Mixed())


def test_too_many_warm_up_records_fail_the_check(exported, pipeline, parse, inputs):
    specs = {"serving_default": signature_specs(pipeline.height, pipeline.width, False)["serving_default"]}
    write_warmup(exported, "people", specs, inputs, [1] * 1001)
    with pytest.raises(RuntimeError, match="1001 warm-up records, and a server takes 1000"):
        check(exported, pipeline, parse)


@pytest.mark.parametrize("kind", ["session_run_log", "classify_log"])
def test_warm_up_records_of_no_prediction_fail_the_check(exported, pipeline, parse, kind):
    (pathlib.Path(exported) / "assets.extra").mkdir()
    with tf.io.TFRecordWriter(f"{exported}/{WARMUP_FILE}") as writer:
        writer.write(PredictionLog(**{kind: {}}).SerializeToString())
    with pytest.raises(RuntimeError, match=f"warm-up record 1 is of no prediction .{kind}"):
        check(exported, pipeline, parse)
