"""Warm-up files are what TensorFlow Serving reads: an uncompressed TFRecord of PredictionLog."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.serving.wire.messages import PredictionLog
from tfwarpgan.serving.wire.tensors import from_proto
from tfwarpgan.serving.wire.warmup import WARMUP_FILE, read_records, write_warmup

INPUTS = {"x": np.arange(6, dtype=np.float32).reshape(3, 2), "text": np.array([b"a", b"b", b"c"], object)}


@pytest.fixture
def folder(tmp_path):
    write_warmup(str(tmp_path), "m", {"one": ["x"], "two": ["x", "text"]}, INPUTS, (1, 5))
    return tmp_path


def test_a_record_for_each_signature_and_batch_size(folder):
    requests = [record.predict_log.request for record in read_records(str(folder))]
    assert [(each.model_spec.signature_name, sorted(each.inputs)) for each in requests] == [
        ("one", ["x"]), ("one", ["x"]), ("two", ["text", "x"]), ("two", ["text", "x"]),
    ]  # fmt: skip
    assert np.array_equal(from_proto(requests[0].inputs["x"]), [[0, 1]])
    assert np.array_equal(from_proto(requests[1].inputs["x"]), [[0, 1], [2, 3], [4, 5], [0, 1], [2, 3]])
    assert from_proto(requests[3].inputs["text"]).tolist() == [b"a", b"b", b"c", b"a", b"b"]


def test_the_file_is_where_a_server_looks_and_is_not_compressed(folder):
    data = (folder / "assets.extra" / "tf_serving_warmup_requests").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])  # a record: length, its checksum, the message, its checksum
    log = PredictionLog.FromString(data[12 : 12 + length])
    assert log.WhichOneof("log_type") == "predict_log"
    assert log.predict_log.request.model_spec.name == "m"


def test_tensorflow_reads_the_tensors_alike(folder):
    (record, *_) = read_records(str(folder))
    request = record.predict_log.request
    tensor = tf.make_tensor_proto(0).FromString(request.inputs["x"].SerializeToString())
    assert np.array_equal(tf.make_ndarray(tensor), [[0, 1]])


def test_no_file_is_no_request(tmp_path):
    assert read_records(str(tmp_path)) == []


@pytest.mark.parametrize("content", [b"text" * 20, b"\x00" * 40])
def test_a_broken_file_is_one_sentence(tmp_path, content):
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / WARMUP_FILE).write_bytes(content)
    with pytest.raises(InputError, match="PredictionLog") as caught:
        read_records(str(tmp_path))
    assert "\n" not in str(caught.value)
