"""Warm-up: requests that a server runs through a version before anybody else's.

`assets.extra/tf_serving_warmup_requests` is a plain TFRecord file of `PredictionLog`, which TensorFlow Serving replays
while it loads a version, `MAX_RECORDS` at most. Without it the first caller of each signature and batch size waits
until its graph is made. One record that fails, fails the load, so there is one for each signature and batch size and no
more.
"""

import os

import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.serving.wire.messages import PredictionLog
from tfwarpgan.serving.wire.tensors import to_proto

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000  # a server refuses a version with more


def write_warmup(folder, model, signatures, inputs, batch_sizes):
    """Writes the warm-up records of a SavedModel.

    Args:
        folder: Folder with saved_model.pb.
        model: Name of the model, which the records carry.
        signatures: Dictionary of input names by signature.
        inputs: Dictionary of arrays [N, ...] by input name; rows are repeated where a batch needs more.
        batch_sizes: Sizes of the batches to warm.
    """
    path = os.path.join(folder, WARMUP_FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tf.io.TFRecordWriter(path) as writer:
        for signature, names in signatures.items():
            for size in batch_sizes:
                rows = {name: _rows(inputs[name], size) for name in names}
                writer.write(_record(model, signature, rows).SerializeToString(deterministic=True))


def read_records(folder):
    """All records of a SavedModel's warm-up file, in order: list of `PredictionLog`, empty where there is no file.

    Raises:
        InputError: If the file is broken.
    """
    path = os.path.join(folder, WARMUP_FILE)
    if not os.path.exists(path):
        return []
    try:
        return [PredictionLog.FromString(bytes_) for bytes_ in tf.data.TFRecordDataset(path).as_numpy_iterator()]
    except Exception as error:  # protobuf's own error has a type of its own in each version
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is no TFRecord file of PredictionLog ({reason}); export the version anew.") from None


def _rows(values, size):
    return values[[row % len(values) for row in range(size)]]


def _record(model, signature, inputs):
    log = PredictionLog()
    request = log.predict_log.request
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(to_proto(values))
    return log
