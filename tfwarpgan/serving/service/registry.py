"""All models of a service: how a request chooses one, and how their folders and configuration are followed."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator

from absl import logging

from tfwarpgan.serving.service import configuration
from tfwarpgan.serving.service.servables import Servable
from tfwarpgan.serving.service.versions import Load, Model, State, not_found
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.messages import ModelVersionStatus as Status
from tfwarpgan.serving.wire.statuses import ServingError


class Models:
    """The configured models by name."""

    def __init__(self, load: Load, allow_labels_of_missing_versions: bool = False) -> None:
        """No models yet.

        Args:
            load: Function of name, version and path that gives a warm `Servable`.
            allow_labels_of_missing_versions: Whether a new configuration may give a new label to a version that is not
                served; a label that is there may move to a served version only.
        """
        self._load, self._allow_missing = load, allow_labels_of_missing_versions
        self._models: dict[str, Model] = {}
        self._leaving: list[Model] = []  # those leave that are configured no more, once they have answered
        self._changing = threading.RLock()  # one change at a time, while requests go on
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def configure(self, config_list: messages.ModelConfigList, first: bool = False) -> None:
        """Serves the models of a list, and no others.

        Args:
            config_list: `ModelConfigList`.
            first: Whether labels may name versions, and models have none, that are not served yet.

        Raises:
            ServingError: If the list is impossible, and nothing has changed; or if a new model cannot be served.
        """
        with self._changing:
            configuration.check_models(config_list)
            if not first:
                self._check_labels(config_list)
            configs = {config.name: config for config in config_list.config}
            removed = [model for name, model in self._models.items() if name not in configs]
            added = [name for name in configs if name not in self._models]
            models = {name: self._models.get(name) or Model(config, self._load) for name, config in configs.items()}
            for name, config in configs.items():
                models[name].config = config
            self._models = models
            self._leaving += removed
            self.poll()
            if not first:
                self._check_served(added)

    def poll(self) -> None:
        """Looks into the folders of all models."""
        with self._changing:
            self._leaving = [model for model in self._leaving if not model.retire()]
            for model in self._models.values():
                model.poll()

    def follow(self, seconds: float) -> None:
        """Polls at this interval, in seconds, on a thread of its own; see `stop`."""
        self._repeat(seconds, self.poll)

    def follow_file(self, path: str, seconds: float, applied: messages.ModelConfigList) -> None:
        """Reads the configuration file at this interval, in seconds; one that cannot be used changes nothing.

        Args:
            path: Of the file.
            seconds: Between two readings.
            applied: The `ModelConfigList` that it held when it was configured.
        """

        def reread() -> None:
            nonlocal applied
            config_list = configuration.parse_models(configuration.content(path), path)
            if config_list != applied:  # tried again where it failed: a label's version may be served by then
                self.configure(config_list)
                applied = config_list

        self._repeat(seconds, reread)

    def stop(self) -> None:
        """Stops following, and unloads all models."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        for model in [*self._models.values(), *self._leaving]:
            model.retire()

    def all_served(self) -> bool:
        """Whether each model has a version that is served."""
        return all(model.latest() is not None for model in self._models.values())

    def readiness(self) -> dict[str, bool]:
        """Whether calls would be answered: by model, `MODEL/versions/NUMBER` and `MODEL/labels/LABEL`."""
        found = {}
        for name, model in self._models.items():
            versions = {number: state == Status.AVAILABLE for number, state, _ in model.states()}
            found[name] = any(versions.values())
            found |= {f"{name}/versions/{number}": served for number, served in versions.items()}
            labels = model.config.version_labels.items()
            found |= {f"{name}/labels/{label}": versions.get(number, False) for label, number in labels}
        return found

    def failures(self) -> list[tuple[str, int, ServingError]]:
        """(name, version, error) of the versions that could not be loaded, where a model has no other."""
        return [
            (name, number, error)
            for name, model in self._models.items()
            if model.latest() is None
            for number, _, error in model.states()
            if error
        ]

    @contextlib.contextmanager
    def servable(self, spec: messages.ModelSpec) -> Iterator[Servable]:
        """The version that a `ModelSpec` chooses, by number, by label or the highest; it stays within the context.

        Raises:
            ServingError: If it is not served.
        """
        if not spec.name:
            raise ServingError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
        with contextlib.ExitStack() as stack:
            yield self._entered(stack, spec, self.version_of(spec))

    def _entered(self, stack: contextlib.ExitStack, spec: messages.ModelSpec, number: int | None) -> Servable:
        model = self._models.get(spec.name)
        try:
            if model is None:
                raise not_found(spec.name, number)
            return stack.enter_context(model.servable(number))
        except ServingError:
            moved = self.version_of(spec)
            if moved == number:
                raise
            return self._entered(stack, spec, moved)  # its label has moved since it was looked up

    def version_of(self, spec: messages.ModelSpec) -> int | None:
        """The number of the version that a `ModelSpec` names, or None for the highest."""
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return spec.version.value
        if choice == "version_label":
            model = self._models.get(spec.name)
            labels = model.config.version_labels if model else {}
            if spec.version_label not in labels:
                raise ServingError("INVALID_ARGUMENT", f"Unrecognized servable version label: {spec.version_label}")
            return labels[spec.version_label]
        return None

    def states(self, spec: messages.ModelSpec) -> list[State]:
        """(number, state, error or None) of the versions that a `ModelSpec` names.

        Raises:
            ServingError: If there are none.
        """
        model = self._models.get(spec.name)
        states = model.states() if model else []
        number = self.version_of(spec)
        if number is not None:
            states = [state for state in states if state[0] == number]
        if not states and number is not None:
            raise ServingError("NOT_FOUND", f"Could not find version {number} of model {spec.name}")
        if not states:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {spec.name}")
        return states

    def _check_labels(self, config_list: messages.ModelConfigList) -> None:
        for config in config_list.config:
            model = self._models.get(config.name)
            served = {number for number, state, _ in model.states() if state == Status.AVAILABLE} if model else set()
            for label, number in config.version_labels.items():
                moves = model and model.config.version_labels.get(label, number) != number
                if number not in served and (moves or not self._allow_missing):
                    raise ServingError(
                        "FAILED_PRECONDITION",
                        f"Request to assign label to version {number} of model {config.name}, which is not currently "
                        "available for inference",
                    )

    def _check_served(self, names: Iterable[str]) -> None:
        missing = [name for name in names if self._models[name].latest() is None]
        if missing:
            reasons = [f"{{{name} {number}: {error.text}}}" for name, number, error in self.failures()]
            raise ServingError(
                "UNKNOWN",
                f"{len(missing)} model(s) did not become available: {', '.join(missing)} {' '.join(reasons)}".rstrip(),
            )

    def _repeat(self, seconds: float, function: Callable[[], None]) -> None:
        def repeated() -> None:
            while not self._stopped.wait(seconds):
                try:
                    function()
                except Exception as error:  # whatever happens to files must not end the thread
                    logging.error("%s", error)

        self._threads.append(threading.Thread(target=repeated, daemon=True))
        self._threads[-1].start()
