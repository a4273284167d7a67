"""The REST API apart from HTTP: predict, classify, regress, status and metadata in JSON."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.metrics import REST
from tfwarpgan.serving.service.model_service import ModelService
from tfwarpgan.serving.service.prediction_service import PredictionService
from tfwarpgan.serving.service.rest import answers, examples, requests
from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError

MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
POST = re.compile(MODEL + r":(predict|classify|regress)", re.IGNORECASE)
GET = re.compile(MODEL + "(/metadata)?", re.IGNORECASE)


class RestApi:
    """The answers to requests in JSON, apart from HTTP."""

    def __init__(self, prediction_service: PredictionService, model_service: ModelService) -> None:
        """The API of both services."""
        self.prediction, self.model = prediction_service, model_service

    def post(self, path: str, body: bytes, deadline: Deadline, said: dict[str, object]) -> str:
        """The text of the answer to a POST request.

        Args:
            path: As it was sent.
            body: The request in JSON.
            deadline: Until when the caller waits.
            said: Is told of the model and its signature.

        Raises:
            ServingError: If it cannot be answered.
        """
        match = POST.fullmatch(path)
        if not match:
            raise malformed("POST", path)
        spec = _spec(*match.groups()[:3])
        said["model"] = spec.name
        document = requests.parsed(body)
        spec.signature_name = said["signature"] = requests.signature_name(document)
        call = {"predict": self._predict, "classify": self._classify, "regress": self._regress}[match[4].lower()]
        return call(spec, document, deadline)

    def get(self, path: str) -> str:
        """The text of the answer to a GET request, which needs no run.

        Raises:
            ServingError: If it cannot be answered.
        """
        match = GET.fullmatch(path)
        if not match:
            raise malformed("GET", path)
        spec = _spec(*match.groups()[:3])
        if match[4]:
            request = messages.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
            return answers.metadata(self.prediction.metadata(request))
        return answers.message(self.model.status(messages.GetModelStatusRequest(model_spec=spec)))

    def _predict(self, spec: messages.ModelSpec, body: dict[str, Any], deadline: Deadline) -> str:
        service = self.prediction
        with service.models.servable(spec) as servable, service.metrics.counted(servable, spec, "Predict", REST):
            signature = servable.signature(spec.signature_name)
            if signature is None:
                name = spec.signature_name or DEFAULT_SIGNATURE
                text = f'Serving signature name: "{name}" not found in signature def'
                raise ServingError("INVALID_ARGUMENT", text)
            arrays, by_row = requests.inputs(body, signature.definition.inputs)
            outputs = service.run(servable, signature, arrays, (), deadline)
            return answers.predictions(outputs, by_row)

    def _classify(self, spec: messages.ModelSpec, body: dict[str, Any], deadline: Deadline) -> str:
        request = messages.ClassificationRequest(model_spec=spec, input=examples.examples(body))
        result = self.prediction.classify(request, deadline, REST).result
        rows = [[[c.label, answers.short(c.score)] for c in row.classes] for row in result.classifications]
        return answers.dumps({"results": rows})

    def _regress(self, spec: messages.ModelSpec, body: dict[str, Any], deadline: Deadline) -> str:
        request = messages.RegressionRequest(model_spec=spec, input=examples.examples(body))
        result = self.prediction.regress(request, deadline, REST).result
        return answers.dumps({"results": [answers.short(found.value) for found in result.regressions]})


def _spec(name: str, version: str | None, label: str | None) -> messages.ModelSpec:
    spec = messages.ModelSpec(name=_decoded(name))
    if version:
        if len(version) > 19 or int(version) >= 2**63:
            raise ServingError("INVALID_ARGUMENT", f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(version)
    elif label:
        spec.version_label = _decoded(label)
    return spec


def _decoded(part: str) -> str:
    """A part of a path without its percent signs."""
    try:
        return urllib.parse.unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise ServingError("INVALID_ARGUMENT", f"{part} is no UTF-8 once its percent signs are decoded") from None


def malformed(method: str, path: str) -> ServingError:
    """The error of a request that nothing here answers."""
    return ServingError("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
