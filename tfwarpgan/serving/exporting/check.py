"""Checking a SavedModel as a server would run it: through a session, against the model that it was made from."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, saved_model_pb2
from tensorflow.python.saved_model import loader_impl

from tfwarpgan.layers.pixels import from_pixels, to_pixels
from tfwarpgan.serving.exporting.sample_people import sample_people
from tfwarpgan.serving.exporting.signatures import Parse
from tfwarpgan.serving.wire.tensors import from_proto
from tfwarpgan.serving.wire.warmup import MAX_RECORDS, read_records
from tfwarpgan.typing import Array, Arrays, Floats

# Operations of TensorFlow itself that need this process, or print into the server's log.
FORBIDDEN_OPS = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "Print", "PrintV2", "XlaLaunch", "XlaLaunchV2")
# In levels of 0..255. A pixel on the edge between two labels may fall to either one, so the mean is what counts.
TOLERANCE = 0.1
# The same for a generator that computes in bfloat16, beside the same model in float32: its numbers have 8 bits.
HALF_TOLERANCE = 0.5


class SavedModelSession:
    """A SavedModel loaded as a server loads it: `with SavedModelSession(path) as served: served("encoded", inputs)`.

    `signatures` is the dictionary of its SignatureDefs.
    """

    def __init__(self, path: str) -> None:
        self.graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=self.graph)
        with self.graph.as_default():
            loader = loader_impl.SavedModelLoader(path)  # as tf.compat.v1.saved_model.loader.load, without its warning
            signatures = loader.load(self.session, [tf.saved_model.SERVING]).signature_def
        self.signatures = _signatures(signatures)
        self._callables: dict[str, Any] = {}

    def __enter__(self) -> "SavedModelSession":
        return self

    def __exit__(self, *error: object) -> None:
        self._callables.clear()  # each must go before its session
        self.session.close()

    def __call__(self, name: str, inputs: Arrays) -> dict[str, Array]:
        """Answers of a signature: dictionary of arrays from a dictionary of arrays.

        A callable feeds as a server does: `Session.run` would compare the shapes first, in Python.
        """
        signature = self.signatures[name]
        if name not in self._callables:
            wiring = config_pb2.CallableOptions(
                feed=[info.name for info in signature.inputs.values()],
                fetch=[info.name for info in signature.outputs.values()],
            )
            self._callables[name] = self.session._make_callable_from_options(wiring)
        values: list[Array] = [np.asarray(inputs[key], _numpy_dtype(info)) for key, info in signature.inputs.items()]
        return dict(zip(signature.outputs, self._callables[name](*values)))


def _numpy_dtype(info: Any) -> type:
    return tf.dtypes.as_dtype(info.dtype).as_numpy_dtype


def check(
    path: str, pipeline: Any, parse: Parse | None = None, tolerance: float = TOLERANCE
) -> dict[str, dict[str, float]]:
    """Checks a SavedModel against the model in this process.

    Args:
        path: Folder with saved_model.pb.
        pipeline, parse: What it was made from, see `build_signatures`, or the same model in another precision.
        tolerance: Largest mean difference in levels.

    Returns:
        Dictionary by signature of differences in levels of 0..255: `largest` and `mean` between its images and the
        pipeline's, `rows` (mean) between a batch and its rows one by one.

    Raises:
        RuntimeError: If it holds operations that a server does not have, or warm-up records that one does not take, or
            answers differently.
    """
    forbidden = forbidden_ops(path)
    if forbidden:
        raise RuntimeError(f"{path} holds operations that a server does not have: {', '.join(forbidden)}.")
    inputs = sample_inputs(pipeline.height, pipeline.width)
    with SavedModelSession(path) as served:
        _replay(served, path)
        report = {name: _differences(served, name, inputs, pipeline, parse) for name in served.signatures}
    for name, found in report.items():
        if not max(found["mean"], found["rows"]) <= tolerance:
            raise RuntimeError(f"{path}: {name} does not answer as the model it was made from: {found}.")
    return report


def _replay(served: SavedModelSession, path: str) -> None:
    """Runs the warm-up records, all of which must be of predictions: our signatures answer nothing else."""
    records = read_records(path)
    if len(records) > MAX_RECORDS:
        raise RuntimeError(f"{path} has {len(records)} warm-up records, and a server takes {MAX_RECORDS}.")
    for number, record in enumerate(records, 1):
        if not record.HasField("predict_log"):
            kind = record.WhichOneof("log_type")
            raise RuntimeError(f"{path}: warm-up record {number} is of no prediction ({kind}), and fails the load.")
        request = record.predict_log.request
        served(request.model_spec.signature_name, {key: from_proto(value) for key, value in request.inputs.items()})


def _meta_graphs(path: str) -> Any:
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, tf.saved_model.SAVED_MODEL_FILENAME_PB), "rb") as file:
        saved_model.ParseFromString(file.read())
    return saved_model.meta_graphs


def signature_defs(path: str) -> dict[str, Any]:
    """The SignatureDefs of a SavedModel by name, read from its file: it need not be one that can be loaded."""
    for graph in _meta_graphs(path):
        if set(graph.meta_info_def.tags) == {tf.saved_model.SERVING}:
            return _signatures(graph.signature_def)
    return {}


def _signatures(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in sorted(found) if not name.startswith("__")}


def operations(path: str) -> set[str]:
    """The names of all operations of a SavedModel and its functions, and "XLA" where one asks to be compiled."""
    found: set[str] = set()
    for graph in (meta_graph.graph_def for meta_graph in _meta_graphs(path)):
        functions = graph.library.function
        nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
        found.update(node.op for node in nodes)
        if any("_XlaMustCompile" in part.attr and part.attr["_XlaMustCompile"].b for part in [*nodes, *functions]):
            found.add("XLA")
    return found


def forbidden_ops(path: str) -> list[str]:
    """The sorted names of the operations of a SavedModel that TensorFlow Serving cannot run.

    Those of add-on packages carry a prefix, as in `Addons>Resampler`.
    """
    return sorted(op for op in operations(path) if ">" in op or op == "XLA" or op in FORBIDDEN_OPS)


def sample_inputs(height: int, width: int) -> dict[str, Array]:
    """Inputs of all signatures by name: three drawn people, their images and label maps as PNGs too."""
    people = sample_people(height, width)
    encoded = {"image_bytes": _png(people["image"]), "parsing_bytes": _png(people["condition_parsing"][..., None])}
    return {**people, **encoded}


def _png(images: Array) -> Array:
    return np.array([tf.io.encode_png(image).numpy() for image in images], object)


def _differences(
    served: SavedModelSession, name: str, inputs: Arrays, pipeline: Any, parse: Parse | None
) -> dict[str, float]:
    takes_parsing = {"condition_parsing", "parsing_bytes"} & set(served.signatures[name].inputs)
    answer = _images(served(name, inputs))
    rows = [_images(served(name, {key: value[i : i + 1] for key, value in inputs.items()})) for i in range(len(answer))]
    expected = _expected(inputs, pipeline, None if takes_parsing else parse)
    difference = np.abs(answer - expected)
    return {
        "largest": float(difference.max()),
        "mean": float(difference.mean()),
        "rows": float(np.abs(answer - np.concatenate(rows)).mean()),
    }


def _images(outputs: Arrays) -> Floats:
    """The images of an answer as float arrays, so that differences do not wrap around."""
    (values,) = outputs.values()
    if values.dtype == object:
        values = np.stack([tf.io.decode_png(value).numpy() for value in values])
    return values.astype(np.float32)


def _expected(inputs: Arrays, pipeline: Any, parse: Parse | None) -> Floats:
    image = from_pixels(inputs["image"])
    batch = {**{key: tf.constant(inputs[key]) for key in inputs if key in pipeline.inputs}, "condition_image": image}
    if parse is not None:
        batch["condition_parsing"] = tf.cast(tf.argmax(parse(image), axis=-1), tf.uint8)
    return to_pixels(pipeline(batch)["image"]).numpy().astype(np.float32)
