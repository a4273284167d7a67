"""PredictionService: runs models on tensors, and describes their signatures.

The checks come in TensorFlow Serving's order, with its codes and texts.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from tfwarpgan.serving.service import classification
from tfwarpgan.serving.service.batching import Runner
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.metrics import GRPC, Metrics
from tfwarpgan.serving.service.registry import Models
from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE, Servable, Signature
from tfwarpgan.serving.wire import messages, tensors
from tfwarpgan.serving.wire.statuses import ServingError, serving_error
from tfwarpgan.typing import Array, Arrays

SIGNATURES = "signature_def"  # the one metadata field that there is
OUTPUTS, MODEL_SPEC = (messages.PredictResponse.DESCRIPTOR.fields_by_name[name] for name in ("outputs", "model_spec"))


class PredictionService:
    """The methods of the service; each takes a request and a `Deadline`, or None."""

    def __init__(self, models: Models, runner: Runner, metrics: Metrics) -> None:
        """The service of `models`, run by a `DirectRunner` or a `BatchingRunner`."""
        self.models, self.runner, self.metrics = models, runner, metrics

    def predict(self, request: messages.PredictRequest, deadline: Deadline | None = None) -> bytes:
        """Answers a `PredictRequest` by the serialized `PredictResponse`."""
        _check_spec(request)
        spec = request.model_spec
        with self.models.servable(spec) as servable, self.metrics.counted(servable, spec, "Predict"):
            signature = _signature(servable, spec.signature_name)
            arrays = _inputs(signature, request.inputs)
            outputs = self.run(servable, signature, arrays, request.output_filter, deadline)
            return _predict_response(_answered(servable, spec.signature_name, True), outputs)

    def run(
        self,
        servable: Servable,
        signature: Signature,
        arrays: Arrays,
        output_filter: Iterable[str] = (),
        deadline: Deadline | None = None,
    ) -> dict[str, Array]:
        """The outputs of a signature, arrays by name.

        Args:
            servable: That which has the signature.
            signature: `Signature`.
            arrays: By name of the input; all of them.
            output_filter: Names of the outputs to compute; empty: all.
            deadline: Until when the caller waits, or None.

        Raises:
            ServingError: If it cannot be answered.
        """
        names = _output_names(signature, output_filter)
        feeds = {signature.inputs[name]: array for name, array in arrays.items()}
        start = time.perf_counter()
        if arrays and _types_fit(signature, arrays):  # TensorFlow's own text tells of a wrong type
            servable.check_ranks(signature, arrays, names)
        values = self.runner.run(servable, feeds, [signature.outputs[name] for name in names], deadline)
        self.metrics.ran(servable, signature, time.perf_counter() - start)
        return dict(zip(names, values, strict=True))

    def classify(
        self, request: messages.ClassificationRequest, deadline: Deadline | None = None, entrypoint: str = GRPC
    ) -> messages.ClassificationResponse:
        """Answers a `ClassificationRequest`; the entrypoint is that of the metrics."""
        return self._inferred(request, classification.CLASSIFY, messages.ClassificationResponse(), deadline, entrypoint)

    def regress(
        self, request: messages.RegressionRequest, deadline: Deadline | None = None, entrypoint: str = GRPC
    ) -> messages.RegressionResponse:
        """Answers a `RegressionRequest`; the entrypoint is that of the metrics."""
        return self._inferred(request, classification.REGRESS, messages.RegressionResponse(), deadline, entrypoint)

    def multi_inference(
        self, request: messages.MultiInferenceRequest, deadline: Deadline | None = None
    ) -> messages.MultiInferenceResponse:
        """Answers a `MultiInferenceRequest`: several signatures of one model from the same examples, in one run."""
        if not request.tasks or not request.tasks[0].HasField("model_spec"):
            raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
        spec = request.tasks[0].model_spec
        with self.models.servable(spec) as servable, self.metrics.counted(servable, spec, "MultiInference"):
            tasks = classification.checked_tasks(servable, request.tasks)
            results = classification.infer(servable, tasks, request.input, self.runner, deadline)
            response = messages.MultiInferenceResponse()
            for task, result in zip(request.tasks, results, strict=True):
                answer = response.results.add()
                answer.model_spec.CopyFrom(_answered(servable, task.model_spec.signature_name, True))
                kind = "classification" if task.method_name == classification.CLASSIFY else "regression"
                getattr(answer, f"{kind}_result").CopyFrom(result)
            return response

    def metadata(
        self, request: messages.GetModelMetadataRequest, deadline: Deadline | None = None
    ) -> messages.GetModelMetadataResponse:
        """Answers a `GetModelMetadataRequest` by the signatures of a model."""
        del deadline
        _check_spec(request)
        if not request.metadata_field:
            raise ServingError("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != SIGNATURES:
                raise ServingError("INVALID_ARGUMENT", f"Metadata field {field} is not supported")
        with self.models.servable(request.model_spec) as servable:
            signatures = messages.SignatureDefMap()
            for name, signature in servable.signatures.items():
                signatures.signature_def[name].CopyFrom(signature.definition)
            response = messages.GetModelMetadataResponse(model_spec=_answered(servable))
            response.metadata[SIGNATURES].Pack(signatures)
            return response

    def _inferred(self, request: Any, method: str, response: Any, deadline: Deadline | None, entrypoint: str) -> Any:
        _check_spec(request)
        api = "Classify" if method == classification.CLASSIFY else "Regress"
        spec = request.model_spec
        with self.models.servable(spec) as servable, self.metrics.counted(servable, spec, api, entrypoint):
            task = classification.checked_task(servable, spec.signature_name, method)
            (result,) = classification.infer(servable, [task], request.input, self.runner, deadline)
            response.model_spec.CopyFrom(_answered(servable, spec.signature_name, True))
            response.result.CopyFrom(result)
            return response


def warm_up(servable: Servable, record: messages.PredictionLog) -> None:
    """Runs the request of a `PredictionLog`.

    Raises:
        ServingError: If it cannot be answered.
    """
    kind = record.WhichOneof("log_type")
    if kind == "predict_log":
        request = record.predict_log.request
        signature = _signature(servable, request.model_spec.signature_name)
        arrays = _inputs(signature, request.inputs)
        names = _output_names(signature, request.output_filter)
        if _types_fit(signature, arrays):
            servable.check_ranks(signature, arrays, names)
        feeds = {signature.inputs[name]: array for name, array in arrays.items()}
        servable.run(feeds, [signature.outputs[name] for name in names])
    elif kind in ("classify_log", "regress_log"):
        request = getattr(record, kind).request
        method = classification.CLASSIFY if kind == "classify_log" else classification.REGRESS
        task = classification.checked_task(servable, request.model_spec.signature_name, method)
        classification.infer(servable, [task], request.input)
    elif kind == "multi_inference_log":
        request = record.multi_inference_log.request
        classification.infer(servable, classification.checked_tasks(servable, request.tasks), request.input)
    else:
        raise ServingError("UNIMPLEMENTED", f"Unsupported log_type for warmup: {kind}")


def _check_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")


def _signature(servable: Servable, name: str) -> Signature:
    signature = servable.signature(name)
    if signature is None:
        raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name or DEFAULT_SIGNATURE}" not found.')
    return signature


def _inputs(signature: Signature, sent: Mapping[str, messages.TensorProto]) -> dict[str, Array]:
    """The arrays of a request's tensors, and of the signature's defaults for those left out."""
    too_few = len(sent) < len(signature.inputs) and not signature.defaults
    if len(sent) > len(signature.inputs) or too_few:
        raise ServingError("INVALID_ARGUMENT", _sizes_differ(set(sent), set(signature.inputs)))
    arrays = {}
    for name in signature.inputs:
        if name in sent:
            try:
                arrays[name] = tensors.from_proto(sent[name])
            except ValueError:
                raise ServingError("INVALID_ARGUMENT", f"tensor parsing error: {name}") from None
        elif name in signature.defaults:
            arrays[name] = signature.defaults[name]
        else:
            (unknown, *_) = sorted(set(sent) - set(signature.inputs)) or [name]
            raise ServingError(
                "INVALID_ARGUMENT",
                f"input tensor alias not found in signature: {unknown}. Inputs expected to be in the set "
                f"{_names(signature.inputs)}.",
            )
    return arrays


def _sizes_differ(sent: set[str], expected: set[str]) -> str:
    return (
        f"input size does not match signature: {len(sent)}!={len(expected)} len({_names(sent)}) != "
        f"len({_names(expected)}). Sent extra: {_names(sent - expected)}. Missing but required: "
        f"{_names(expected - sent)}."
    )


def _names(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _output_names(signature: Signature, output_filter: Iterable[str]) -> list[str]:
    """The filter's names in their order, each once; all outputs where there is no filter."""
    names = []
    for name in output_filter:
        if name not in signature.outputs:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                f"{_names(signature.outputs)}.",
            )
        if name in names:
            raise ServingError("INVALID_ARGUMENT", f"duplicate output tensor alias: {name}")
        names.append(name)
    return names or list(signature.outputs)


def _types_fit(signature: Signature, arrays: Arrays) -> bool:
    infos = signature.definition.inputs
    return all(tensors.data_type(array) == infos[name].dtype for name, array in arrays.items())


def _answered(servable: Servable, signature_name: str = "", names_signature: bool = False) -> messages.ModelSpec:
    spec = messages.ModelSpec(name=servable.name)
    spec.version.value = servable.version
    if names_signature:
        spec.signature_name = signature_name or DEFAULT_SIGNATURE
    return spec


def _predict_response(spec: messages.ModelSpec, outputs: Arrays) -> bytes:
    """The serialized answer, each tensor put together from its array's bytes."""
    parts = [tensors.delimited(MODEL_SPEC.number, spec.SerializeToString())]
    for name, array in outputs.items():
        try:
            value = tensors.to_wire(array)
        except TypeError as error:
            raise serving_error(error) from None
        entry = tensors.delimited(1, name.encode()) + tensors.delimited(2, value)
        parts.append(tensors.delimited(OUTPUTS.number, entry))
    return b"".join(parts)
