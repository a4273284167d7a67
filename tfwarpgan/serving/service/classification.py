"""Classification and regression: from examples to classes with scores, or to a number each."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tfwarpgan.serving.service.batching import Runner
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE, Servable, Signature
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError
from tfwarpgan.typing import Array, Arrays

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
INPUT = "inputs"  # these names are the same in every model
CLASSES, SCORES, VALUES = "classes", "scores", "outputs"


@dataclasses.dataclass(frozen=True)
class Task:
    """A signature to answer by, as its method asks."""

    signature: Signature
    method: str

    @property
    def outputs(self) -> dict[str, str]:
        """Names of the tensors to compute, by name of the output."""
        names = (CLASSES, SCORES) if self.method == CLASSIFY else (VALUES,)
        return {name: self.signature.outputs[name] for name in names if name in self.signature.outputs}


def checked_task(servable: Servable, name: str, method: str) -> Task:
    """The task of a signature.

    Raises:
        ServingError: If there is no such signature, or it does not fit the method.
    """
    signature = servable.signature(name)
    if signature is None:
        raise _invalid(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
    _check_signature(signature, method)
    return Task(signature, method)


def checked_tasks(servable: Servable, requested: Iterable[messages.InferenceTask]) -> list[Task]:
    """The tasks of the `InferenceTask`s of a request, which share a model; each may have an input tensor of its own.

    Raises:
        ServingError: If they are not such.
    """
    tasks, names = [], set()
    for task in requested:
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if not task.model_spec.name:
            raise _invalid("Found ModelSpec with an empty model name.")
        if task.model_spec.name != servable.name:
            raise _invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        if name in names:
            raise _invalid(f"Duplicate evaluation of signature: {name}")
        names.add(name)
        if servable.signature(name) is None:
            raise _invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in (CLASSIFY, REGRESS):
            raise ServingError("UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}")
        tasks.append(checked_task(servable, name, task.method_name))
    return tasks


def infer(
    servable: Servable,
    tasks: Sequence[Task],
    examples: messages.Input,
    runner: Runner | None = None,
    deadline: Deadline | None = None,
) -> list[Any]:
    """The result of each task, all from one run.

    Args:
        servable: The model.
        tasks: Checked ones.
        examples: `Input` of a request.
        runner: What runs them; None: the model itself.
        deadline: Until when the caller waits, or None.

    Returns:
        List of `ClassificationResult`s and `RegressionResult`s.
    """
    serialized = _serialized(examples)
    fetches = sorted({tensor for task in tasks for tensor in task.outputs.values()})
    feeds = {task.signature.inputs[INPUT]: serialized for task in tasks}
    values = runner.run(servable, feeds, fetches, deadline) if runner else servable.run(feeds, fetches)
    found = dict(zip(fetches, values, strict=True))
    return [_result(task, found, len(serialized)) for task in tasks]


def _check_signature(signature: Signature, method: str) -> None:
    if len(signature.inputs) != 1:
        raise _invalid("Expected one input Tensor.")
    kind, most = ("classification", 2) if method == CLASSIFY else ("regression", 1)
    if not 1 <= len(signature.outputs) <= most:
        found = f"Expected one or two output Tensors, found {len(signature.outputs)}"
        raise _invalid(found if method == CLASSIFY else "Expected one output Tensor.")
    if INPUT not in signature.inputs:
        raise _precondition(f"No {kind} inputs found in SignatureDef: {signature.definition}")
    if method == CLASSIFY and not {CLASSES, SCORES} & set(signature.outputs):
        raise _precondition(
            f'Expected classification signature outputs to contain at least one of "{CLASSES}" or "{SCORES}". '
            f"Signature was: {signature.definition}"
        )
    if method == REGRESS and VALUES not in signature.outputs:
        raise _precondition(f"No regression outputs found in SignatureDef: {signature.definition}")


def _serialized(examples: messages.Input) -> Array:
    """The examples of a request as they are parsed in a graph: strings [n]. A context is put before each."""
    kind = examples.WhichOneof("kind")
    found = getattr(examples, kind) if kind else None
    if not found or not found.examples:
        raise _invalid("Input is empty.")
    # Two messages behind each other are read as one, merged.
    context = found.context.SerializeToString() if kind == "example_list_with_context" else b""
    array = np.empty(len(found.examples), object)
    array[:] = [context + example.SerializeToString() for example in found.examples]
    return array


def _result(task: Task, found: Arrays, size: int) -> Any:
    outputs = {name: found[tensor] for name, tensor in task.outputs.items()}
    if task.method == REGRESS:
        return _regression(outputs[VALUES], size)
    for name, array in outputs.items():
        if array.ndim != 2:
            raise _invalid(f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}")
        dtype, type_name = (object, "DT_STRING") if name == CLASSES else (np.float32, "DT_FLOAT")
        if array.dtype != dtype:
            raise _invalid(f"Expected {name} Tensor of {type_name}. Got: {array.dtype}")
        if len(array) != size:
            raise _invalid(f"Expected {name} output batch size of {size}. Got: {len(array)}")
    if len({array.shape for array in outputs.values()}) > 1:
        raise _invalid("Tensors class and score should match in dim_size(1).")
    return _classification(outputs.get(CLASSES), outputs.get(SCORES))


def _classification(labels: Array | None, scores: Array | None) -> messages.ClassificationResult:
    result = messages.ClassificationResult()
    present: Any = scores if labels is None else labels
    rows, columns = present.shape
    for row in range(rows):
        classes = result.classifications.add().classes
        for column in range(columns):
            found = classes.add()
            if labels is not None:
                found.label = labels[row, column].decode(errors="replace")
            if scores is not None:
                found.score = scores[row, column]
    return result


def _regression(values: Array, size: int) -> messages.RegressionResult:
    if not (values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)):
        raise _invalid(
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {list(values.shape)}"
        )
    if len(values) != size:
        raise _invalid(f"Input batch size did not match output batch size: {size} vs. {len(values)}")
    if values.dtype != np.float32:
        raise _invalid(f"Expected output Tensor of DT_FLOAT.  Got: {values.dtype}")
    return messages.RegressionResult(regressions=[{"value": value} for value in values.ravel().tolist()])


def _invalid(text: str) -> ServingError:
    return ServingError("INVALID_ARGUMENT", text)


def _precondition(text: str) -> ServingError:
    return ServingError("FAILED_PRECONDITION", text)
