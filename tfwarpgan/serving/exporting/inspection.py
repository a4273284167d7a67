"""Inspects any SavedModel, ours or not, before a server loads it, and without the model that it was made from.

Warm-up records are run by what the service itself runs them with, while it loads a version. All answers come through a
session, as a server runs it: `tf.saved_model.load` would hide what breaks there. What has the inputs of one of our
signatures, by names, types and shapes, is given those that `check` uses, anything else those of its warm-up records, or
random ones where there are none.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from tfwarpgan.errors import InputError
from tfwarpgan.serving.exporting.check import SavedModelSession, forbidden_ops, sample_inputs, signature_defs
from tfwarpgan.serving.exporting.signatures import signature_specs
from tfwarpgan.serving.pipeline import TYPES
from tfwarpgan.serving.service.prediction_service import warm_up
from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE, Servable
from tfwarpgan.serving.wire.messages import PredictionLog, PredictRequest, PredictResponse
from tfwarpgan.serving.wire.statuses import serving_error
from tfwarpgan.serving.wire.tensors import from_proto, to_proto, to_wire
from tfwarpgan.serving.wire.warmup import MAX_RECORDS, read_records
from tfwarpgan.typing import Array, Arrays

CLIENT_LIMIT = 4 * 2**20  # largest answer that a gRPC client accepts by default, in bytes
ROWS = 3
UNKNOWN_SIDE = 8  # elements that stand for an unknown dimension other than the batch
TOLERANCE = 1e-3  # of the largest value of an answer
LEVELS = 0.1  # mean difference of 8-bit levels, as in `check`


@dataclasses.dataclass
class SignatureReport:
    """What was found about one signature.

    Attributes:
        unnamed: Inputs and outputs with a dimension of unknown size and no name, or of unknown rank, as sentences.
        depends: Sentence on how a row depends on its batch; empty: it does not.
        untried: Why it could not be run; empty: it ran.
        sizes: Bytes of (request, answer) by batch size.
    """

    unnamed: list[str] = dataclasses.field(default_factory=list)
    depends: str = ""
    untried: str = "not tried: it cannot be loaded"
    sizes: dict[int, tuple[int, int]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Inspection:
    """What was found about a SavedModel; `problems` are reasons not to serve it."""

    path: str
    identity: str
    forbidden: list[str]
    warmup: int
    problems: list[str] = dataclasses.field(default_factory=list)
    signatures: dict[str, SignatureReport] = dataclasses.field(default_factory=dict)

    def lines(self) -> Iterator[str]:
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


def inspect(path: str, batch_sizes: Sequence[int] = (1,)) -> Inspection:
    """Inspects a SavedModel.

    Args:
        path: Folder with saved_model.pb.
        batch_sizes: Batches whose messages are measured.

    Returns:
        `Inspection`; of a SavedModel that cannot be loaded, with what its file alone tells.

    Raises:
        InputError: If the folder holds no SavedModel, or a broken file of warm-up records.
    """
    try:
        forbidden, definitions, records = forbidden_ops(path), signature_defs(path), read_records(path)
    except (OSError, DecodeError) as error:
        raise InputError(f"{path} cannot be loaded ({_reason(error)}); export it again.") from None
    found = Inspection(path, identity(path), forbidden, len(records))
    found.signatures = {name: SignatureReport(_unnamed(definitions[name])) for name in sorted(definitions)}
    found.problems += [f"{op} is an operation that a server lacks." for op in forbidden]
    try:
        warmup = _inspect_warmup(path, records, found)
        with SavedModelSession(path) as served:
            for name in served.signatures:
                _inspect_signature(served, name, warmup, batch_sizes, found)
    except Exception as error:  # an operation that is not registered, a variable or an asset that is missing, ...
        found.problems.append(f"It cannot be loaded: {_reason(error)}")
    return found


def identity(path: str) -> str:
    """The identity of program and weights, the singleprint of fingerprint.pb: equal for two exports of one model."""
    try:
        return tf.saved_model.experimental.read_fingerprint(path).singleprint()
    except (OSError, ValueError):  # written before TensorFlow 2.12, or by another program
        return "unknown (fingerprint.pb is missing)"


def _inspect_warmup(path: str, records: Sequence[PredictionLog], found: Inspection) -> list[PredictRequest]:
    """Runs the records as a service does that loads the version; returns the `PredictRequest`s that succeed."""
    if not records:
        return []
    if len(records) > MAX_RECORDS:
        found.problems.append(
            f"{len(records)} warm-up requests are more than the {MAX_RECORDS} that a server takes, and the version "
            "would not load."
        )
    good = []
    model = os.path.basename(os.path.dirname(os.path.abspath(path)))  # the name that a server gives it by default
    with contextlib.closing(Servable(model, 1, path)) as servable:
        for number, record in enumerate(records[:MAX_RECORDS], 1):
            if reason := _refusal(servable, record):
                found.problems.append(f"Warm-up request {number} fails, and the version would not load: {reason}")
            elif record.HasField("predict_log"):
                good.append(record.predict_log.request)
    return good


def _refusal(servable: Servable, record: PredictionLog) -> str:
    """Why a service would not load a version with a warm-up record, or an empty string."""
    try:
        warm_up(servable, record)
    except Exception as error:  # as the service: whatever it is, the version is not loaded
        return serving_error(error).text.splitlines()[0]
    return ""


def _inspect_signature(
    served: SavedModelSession,
    name: str,
    warmup: Sequence[PredictRequest],
    batch_sizes: Sequence[int],
    found: Inspection,
) -> None:
    signature, report = served.signatures[name], found.signatures[name]
    requests = [each for each in warmup if (each.model_spec.signature_name or DEFAULT_SIGNATURE) == name]
    try:
        sample = _sample(signature, [_arrays(request) for request in requests])
        served(name, sample)
        report.untried = ""
        if len(next(iter(sample.values()))) < 2:
            report.untried = "not tried: the warm-up requests are of a single row"
        elif reason := _dependence(served, name, sample):
            report.depends = reason
            found.problems.append(f"{name}: {reason}")
        report.sizes = {size: _message_sizes(served, name, sample, size) for size in batch_sizes}
    except _NoSample as error:
        report.untried = f"not tried: {error}"
    except Exception as error:  # anything can happen to values that the graph was not made for
        report.untried = f"not tried: {'the warm-up' if requests else 'random'} values are refused ({_reason(error)})"


def _arrays(request: PredictRequest) -> dict[str, Array]:
    return {key: from_proto(tensor) for key, tensor in request.inputs.items()}


def _reason(error: BaseException) -> str:
    """The first line of an error's text, or the error's name."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _unnamed(signature: Any) -> list[str]:
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


class _NoSample(Exception):
    """Why there are no inputs to try a signature with."""


def _sample(signature: Any, warm: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """Inputs of different rows: those of `check` for our own signatures, else of the warm-up, else random ones.

    Raises:
        _NoSample: If there are none.
    """
    specs = {key: tf.TensorSpec(info.tensor_shape, info.dtype, key) for key, info in signature.inputs.items()}
    if not specs or any(not spec.shape.rank or spec.shape[0] is not None for spec in specs.values()):
        raise _NoSample("not all inputs have a batch of free size")
    if own := _own_sample(specs, warm):
        return own
    if warm:
        return max(warm, key=lambda inputs: len(next(iter(inputs.values()))))
    if any(spec.dtype == tf.string for spec in specs.values()):
        raise _NoSample("no warm-up request shows what its strings hold")
    return {key: _random(spec) for key, spec in specs.items()}


def _own_sample(specs: Mapping[str, tf.TensorSpec], warm: Sequence[dict[str, Array]]) -> dict[str, Array] | None:
    """The inputs of `check` for what has names, types and shapes of one of our signatures; else None."""
    image = specs.get("image")
    size: list[Any] = image.shape[1:3].as_list() if image and image.shape.rank == 4 else [1, 1]
    inputs = [key for key in TYPES if key in specs or key == "condition_parsing" and "parsing_bytes" in specs]
    if None in size or specs not in signature_specs(size[0], size[1], False, inputs).values():
        return None
    if not image:  # encoded images, of which a warm-up request tells the size
        try:
            size = tf.io.decode_image(warm[0]["image_bytes"][0]).shape[:2]
        except (IndexError, tf.errors.OpError):
            return None
    samples = sample_inputs(*size)
    return {key: samples[key] for key in specs}


def _random(spec: tf.TensorSpec) -> Array:
    shape = [ROWS] + [UNKNOWN_SIDE if size is None else size for size in spec.shape[1:]]
    generator, dtype = np.random.default_rng(0), spec.dtype.as_numpy_dtype
    if np.issubdtype(dtype, np.integer) or dtype == np.bool_:
        return generator.integers(0, 2, shape).astype(dtype)
    return generator.uniform(0, 1, shape).astype(dtype)


def _dependence(served: SavedModelSession, name: str, inputs: Arrays) -> str:
    """How the answers of a batch differ from those of its rows one by one, as a sentence; empty: they do not."""
    rows = len(next(iter(inputs.values())))
    batch = served(name, inputs)
    single = [served(name, {key: value[row : row + 1] for key, value in inputs.items()}) for row in range(rows)]
    for key, values in batch.items():
        parts = [answer[key] for answer in single]
        if np.ndim(values) == 0 or len(values) != rows or any(len(part) != 1 for part in parts):
            return f"{key} has {np.shape(values)} for {rows} rows, which a batching server cannot divide."
        if any(part.shape[1:] != values.shape[1:] for part in parts):
            return f"the rows of {key} depend on their batch (they have other shapes in it)."
        difference, allowed = _difference(values, np.concatenate(parts))
        if not difference <= allowed:
            return f"the rows of {key} depend on their batch (difference {difference:.3g}, allowed {allowed:.3g})."
    return ""


def _difference(batch: Array, rows: Array) -> tuple[float, float]:
    """(difference, what rounding may cause) of an answer and its rows."""
    if batch.dtype == object and all(value.startswith(b"\x89PNG") for value in [*batch.flat, *rows.flat]):
        batch, rows = (np.stack([tf.io.decode_png(value).numpy() for value in part.flat]) for part in (batch, rows))
    if batch.dtype == np.uint8:
        return np.abs(batch.astype(float) - rows).mean(), LEVELS
    if batch.dtype.kind in "OSUb":
        return float(np.mean(batch != rows)), 0.0
    batch, rows = np.asarray(batch, np.float64), np.asarray(rows, np.float64)
    return float(np.abs(batch - rows).max(initial=0.0)), TOLERANCE * max(float(np.abs(batch).max(initial=0.0)), 1e-6)


def _message_sizes(served: SavedModelSession, name: str, inputs: Arrays, size: int) -> tuple[int, int]:
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


def _size(count: int) -> str:
    return f"{count / 2**20:.2f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"
