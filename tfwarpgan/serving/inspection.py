"""What can be said of any SavedModel before a server takes it, ours or not, without what it was made from.

Warm-up records are run by what the service itself runs them with, while it loads a version. All answers come through a
session, as a server runs it: `tf.saved_model.load` would hide what breaks there. Sample inputs are drawn by the names
that `signatures` gives, else taken from the warm-up records, else drawn at random.
"""

import contextlib
import dataclasses
import os

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from tfwarpgan.errors import InputError
from tfwarpgan.serving.check import SavedModelSession, forbidden_ops, sample_inputs
from tfwarpgan.serving.messages import PredictRequest, PredictResponse
from tfwarpgan.serving.prediction_service import warm_up
from tfwarpgan.serving.servables import DEFAULT_SIGNATURE, Servable
from tfwarpgan.serving.signatures import DIMENSIONS
from tfwarpgan.serving.statuses import ServingError, serving_error
from tfwarpgan.serving.tensors import from_proto, to_proto, to_wire
from tfwarpgan.serving.warmup import MAX_RECORDS, read_records

CLIENT_LIMIT = 4 * 2**20  # bytes that a gRPC client takes unless it is told otherwise
ROWS = 3
UNKNOWN_SIDE = 8  # elements that stand for an unknown dimension other than the batch
TOLERANCE = 1e-3  # of the largest value of an answer
LEVELS = 0.1  # mean difference of 8-bit levels, as in `check`


@dataclasses.dataclass
class SignatureReport:
    """What was found of one signature.

    Attributes:
        unnamed: Inputs and outputs with a dimension of unknown size and no name, or of unknown rank, as sentences.
        depends: Sentence on how a row depends on its batch; empty: it does not.
        untried: Why it could not be run; empty: it ran.
        sizes: Bytes of (request, answer) by batch size.
    """

    unnamed: list = dataclasses.field(default_factory=list)
    depends: str = ""
    untried: str = ""
    sizes: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Inspection:
    """What was found of a SavedModel; `problems` are the sentences that should keep it from a server."""

    path: str
    identity: str
    forbidden: list
    warmup: int
    problems: list = dataclasses.field(default_factory=list)
    signatures: dict = dataclasses.field(default_factory=dict)

    def lines(self):
        """The report as lines of text."""
        yield f"SavedModel: {self.path}"
        yield f"Identity of the weights: {self.identity}"
        yield f"Operations that a server lacks: {', '.join(self.forbidden) or 'none'}"
        yield f"Warm-up requests: {self.warmup or 'none'}"
        for name, found in self.signatures.items():
            yield f"{name}:"
            yield f"  unnamed dimensions: {'; '.join(found.unnamed) or 'none'}"
            yield f"  rows: {found.untried or found.depends or 'independent of their batch'}"
            for size, (request, answer) in found.sizes.items():
                above = f" (above a client's default limit of {_size(CLIENT_LIMIT)})" if answer > CLIENT_LIMIT else ""
                yield f"  messages of batch {size}: request {_size(request)}, answer {_size(answer)}{above}"
        yield from (f"PROBLEM: {sentence}" for sentence in self.problems)


def inspect(path, batch_sizes=(1,)):
    """Inspects a SavedModel.

    Args:
        path: Folder with saved_model.pb.
        batch_sizes: Batches whose messages are measured.

    Returns:
        `Inspection`.

    Raises:
        InputError: If the folder holds no SavedModel, or none that can be loaded.
    """
    try:
        forbidden, records = forbidden_ops(path), read_records(path)
        found = Inspection(path, identity(path), forbidden, len(records))
        found.problems += [f"{op} is an operation that a server lacks." for op in forbidden]
        warmup = _inspect_warmup(path, records, found)
        with SavedModelSession(path) as served:
            _inspect_signatures(served, warmup, batch_sizes, found)
    except (OSError, ValueError, DecodeError, ServingError, tf.errors.OpError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be loaded ({str(error).splitlines()[0]}); export it anew.") from None
    return found


def identity(path):
    """The identity of program and weights, the singleprint of fingerprint.pb: equal for two exports of one model."""
    try:
        return tf.saved_model.experimental.read_fingerprint(path).singleprint()
    except (OSError, ValueError):  # written before TensorFlow 2.12, or by another program
        return "unknown (fingerprint.pb is missing)"


def _inspect_warmup(path, records, found):
    """Runs the records as a service does that loads the version; returns the `PredictRequest`s that succeed."""
    if not records:
        return []
    if len(records) > MAX_RECORDS:
        found.problems.append(
            f"{len(records)} warm-up requests are more than the {MAX_RECORDS} that a server takes, and the version "
            "would not load."
        )
    good = []
    model = os.path.basename(os.path.dirname(os.path.abspath(path)))  # a server names it so, unless told otherwise
    with contextlib.closing(Servable(model, 1, path)) as servable:
        for number, record in enumerate(records[:MAX_RECORDS], 1):
            if reason := _refusal(servable, record):
                found.problems.append(f"Warm-up request {number} fails, and the version would not load: {reason}")
            elif record.HasField("predict_log"):
                good.append(record.predict_log.request)
    return good


def _refusal(servable, record):
    """Why a service would not load a version with a warm-up record, or an empty string."""
    try:
        warm_up(servable, record)
    except Exception as error:  # as the service: whatever it is, the version is not loaded
        return serving_error(error).text.splitlines()[0]
    return ""


def _inspect_signatures(served, warmup, batch_sizes, found):
    for name, signature in served.signatures.items():
        report = found.signatures[name] = SignatureReport(unnamed=_unnamed(signature))
        sample = _sample(
            signature,
            [_arrays(each) for each in warmup if (each.model_spec.signature_name or DEFAULT_SIGNATURE) == name],
        )
        if isinstance(sample, str):
            report.untried = sample
            continue
        if reason := _failure(served, name, sample):
            report.untried = f"not tried: random values are refused ({reason})"
            continue
        if len(next(iter(sample.values()))) < 2:
            report.untried = "not tried: the warm-up requests are of a single row"
        else:
            report.depends = _dependence(served, name, sample)
        if report.depends:
            found.problems.append(f"{name}: {report.depends}")
        report.sizes = {size: _message_sizes(served, name, sample, size) for size in batch_sizes}


def _arrays(request):
    return {key: from_proto(tensor) for key, tensor in request.inputs.items()}


def _failure(served, name, inputs):
    """Why a signature refuses its inputs, or an empty string."""
    try:
        served(name, inputs)
    except (tf.errors.OpError, KeyError, ValueError, TypeError) as error:
        return str(error).splitlines()[0]
    return ""


def _unnamed(signature):
    found = []
    for side in ("inputs", "outputs"):
        for key, info in sorted(getattr(signature, side).items()):
            shape = info.tensor_shape
            positions = [str(at) for at, dim in enumerate(shape.dim) if dim.size == -1 and not dim.name]
            if shape.unknown_rank:
                found.append(f"{key} has no rank")
            elif positions:
                found.append(f"{key} {[dim.size for dim in shape.dim]} at {', '.join(positions)}")
    return found


def _sample(signature, warm):
    """Inputs of ROWS different rows, or the reason why there are none."""
    shapes = {key: info.tensor_shape for key, info in signature.inputs.items()}
    if any(shape.unknown_rank or not shape.dim or shape.dim[0].size != -1 for shape in shapes.values()):
        return "not tried: an input has no batch of free size"
    if set(shapes) <= set(DIMENSIONS):
        return _named_sample(shapes, warm)
    largest = max(warm, key=lambda inputs: len(next(iter(inputs.values()))), default=None)
    if largest is not None:
        return largest
    if any(info.dtype == tf.string.as_datatype_enum for info in signature.inputs.values()):
        return "not tried: no warm-up request shows what its strings hold"
    return {key: _random(info) for key, info in signature.inputs.items()}


def _named_sample(shapes, warm):
    """The inputs that `check` uses, of the model's size: that of the tensors, else of a picture in a warm-up record."""
    sides = [[dim.size for dim in shapes[key].dim[1:3]] for key in ("image", "condition_parsing") if key in shapes]
    if not sides and not warm:
        return "not tried: neither an input nor a warm-up request tells the size of its pictures"
    size = sides[0] if sides else tf.io.decode_image(warm[0]["image_bytes"][0]).shape[:2]
    inputs = sample_inputs(*size)
    return {key: inputs[key] for key in shapes}


def _random(info):
    shape = [ROWS] + [UNKNOWN_SIDE if dim.size == -1 else dim.size for dim in info.tensor_shape.dim[1:]]
    generator, dtype = np.random.default_rng(0), tf.dtypes.as_dtype(info.dtype).as_numpy_dtype
    if np.issubdtype(dtype, np.integer) or dtype == np.bool_:
        return generator.integers(0, 2, shape).astype(dtype)
    return generator.uniform(0, 1, shape).astype(dtype)


def _dependence(served, name, inputs):
    """How the answers of a batch differ from those of its rows one by one, as a sentence; empty: they do not."""
    rows = len(next(iter(inputs.values())))
    batch = served(name, inputs)
    single = [served(name, {key: value[row : row + 1] for key, value in inputs.items()}) for row in range(rows)]
    for key, values in batch.items():
        parts = [answer[key] for answer in single]
        if np.ndim(values) == 0 or len(values) != rows or any(len(part) != 1 for part in parts):
            return f"{key} has {np.shape(values)} for {rows} rows, which a batching server cannot divide."
        difference, allowed = _difference(values, np.concatenate(parts))
        if not difference <= allowed:
            return f"the rows of {key} depend on their batch (difference {difference:.3g}, allowed {allowed:.3g})."
    return ""


def _difference(batch, rows):
    """(difference, what rounding may cause) of an answer and its rows."""
    if batch.dtype == object and all(value.startswith(b"\x89PNG") for value in [*batch.flat, *rows.flat]):
        batch, rows = (np.stack([tf.io.decode_png(value).numpy() for value in part.flat]) for part in (batch, rows))
    if batch.dtype == np.uint8:
        return np.abs(batch.astype(float) - rows).mean(), LEVELS
    if batch.dtype.kind in "OSUb":
        return float(np.mean(batch != rows)), 0.0
    batch, rows = np.asarray(batch, np.float64), np.asarray(rows, np.float64)
    return float(np.abs(batch - rows).max(initial=0.0)), TOLERANCE * max(float(np.abs(batch).max(initial=0.0)), 1e-6)


def _message_sizes(served, name, inputs, size):
    """Bytes of a request as our client packs it, and of the answer as TensorFlow Serving does: in typed fields."""
    rows = [row % len(next(iter(inputs.values()))) for row in range(size)]
    inputs = {key: value[rows] for key, value in inputs.items()}
    request, response = PredictRequest(), PredictResponse()
    request.model_spec.name, request.model_spec.signature_name = "model", name
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(to_proto(value))
    for key, value in served(name, inputs).items():
        response.outputs[key].ParseFromString(to_wire(value))
    return request.ByteSize(), response.ByteSize()


def _size(count):
    return f"{count / 2**20:.2f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"
