"""ModelService: the states of versions, and a new list of models where that is allowed."""

from absl import logging

from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.registry import Models
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError


class ModelService:
    """The methods of the service; each takes a request and a deadline, which none of them needs."""

    def __init__(self, models: Models, allow_reload: bool) -> None:
        """The service of `models`; `allow_reload`: whether a client may change what is served."""
        self.models, self.allow_reload = models, allow_reload

    def status(
        self, request: messages.GetModelStatusRequest, deadline: Deadline | None = None
    ) -> messages.GetModelStatusResponse:
        """Answers a `GetModelStatusRequest`."""
        del deadline
        if not request.HasField("model_spec"):
            raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
        response = messages.GetModelStatusResponse()
        for number, state, error in self.models.states(request.model_spec):
            version = response.model_version_status.add(version=number, state=state)
            version.status.error_code = messages.Code.Value(error.code) if error else 0
            version.status.error_message = error.text if error else ""
        return response

    def reload(
        self, request: messages.ReloadConfigRequest, deadline: Deadline | None = None
    ) -> messages.ReloadConfigResponse:
        """Answers a `ReloadConfigRequest`, once the new models are served."""
        del deadline
        if not self.allow_reload:
            raise ServingError(
                "PERMISSION_DENIED", "This service takes no new configuration: it was started without --allow_reload."
            )
        if request.config.WhichOneof("config") != "model_config_list":
            raise ServingError(
                "INVALID_ARGUMENT",
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
                "supported",
            )
        logging.info("A client changes the models that are served.")
        self.models.configure(request.config.model_config_list)
        return messages.ReloadConfigResponse(status={"error_code": "OK"})
