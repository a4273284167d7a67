"""The versions of one model: which there are, which are served, and how one follows another.

A version is a folder whose name is a whole number, of 63 bits as in the messages. A new one is loaded and warm before
an old one goes, one that cannot be loaded keeps the others in place, and one that is still being answered from is
closed only afterwards. A version that failed, perhaps because it was still being copied, is tried again once its folder
has changed.
"""

import contextlib
import dataclasses
import os
import threading

from absl import logging

from tfwarpgan.serving.service.servables import fingerprint
from tfwarpgan.serving.wire.messages import ModelVersionStatus as Status
from tfwarpgan.serving.wire.statuses import ServingError, serving_error

LARGEST = 2**63 - 1  # a version is an int64 in every message


@dataclasses.dataclass
class Version:
    """A version that was found once; `error` is the reason of a failed load, `users` count running requests."""

    number: int
    path: str
    state: int = Status.START
    error: ServingError = None
    servable: object = None
    users: int = 0
    seen: tuple = ()


def wanted_versions(policy, numbers):
    """The versions that a policy chooses.

    Args:
        policy: `ServableVersionPolicy`: latest (the default, of one), all or specific.
        numbers: The versions that there are.

    Returns:
        Sorted list.
    """
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return sorted(numbers)
    if choice == "specific":
        return sorted(set(policy.specific.versions) & set(numbers))
    return sorted(numbers)[-(policy.latest.num_versions or 1) :]


def is_version(name):
    """Whether the name of a folder is a version's number."""
    return name.isascii() and name.isdecimal() and int(name) <= LARGEST


def versions_on_disk(base_path):
    """Paths by version; empty where there is no such folder."""
    try:
        names = os.listdir(base_path)
    except OSError:
        return {}
    paths = {int(name): os.path.join(base_path, name) for name in names if is_version(name)}
    return {number: path for number, path in paths.items() if os.path.isdir(path)}


class Model:
    """A model and its versions."""

    def __init__(self, config, load):
        """A model of which nothing is loaded yet.

        Args:
            config: `ModelConfig`.
            load: Function of name, version and path that gives a warm `Servable`.
        """
        self.config, self._load = config, load
        self._versions, self._found_nothing = {}, False
        self._lock = threading.Lock()

    def poll(self):
        """Loads what should be served now, then lets go what should not. Not to be called by two threads at once.

        Where no version is found at all, those that are served stay.
        """
        found = versions_on_disk(self.config.base_path)
        wanted = wanted_versions(self.config.model_version_policy, found)
        if not wanted and not self._found_nothing:  # told once, and not at each poll
            logging.warning("%s: %s holds no version to serve.", self.config.name, self.config.base_path)
        self._found_nothing = not wanted
        for number in wanted:
            self._try_to_load(number, found[number])
        with self._lock:
            if any(self._versions[number].state == Status.AVAILABLE for number in wanted):
                self._retire(number for number in self._versions if number not in wanted)
        self._close_retired()

    def retire(self):
        """Lets all versions go, since the model is no longer configured; False while some are being answered from."""
        with self._lock:
            self._retire(list(self._versions))
        self._close_retired()
        with self._lock:
            return all(version.servable is None for version in self._versions.values())

    def latest(self):
        """The highest version that is served, or None."""
        with self._lock:
            return max((version.number for version in self._available()), default=None)

    @contextlib.contextmanager
    def servable(self, number=None):
        """A version to answer from, the highest by default: it stays until the context ends.

        Raises:
            ServingError: If it is not served.
        """
        with self._lock:
            served = {version.number: version for version in self._available()}
            version = served.get(max(served, default=None) if number is None else number)
            if version is None:
                raise not_found(self.config.name, number)
            version.users += 1
        try:
            yield version.servable
        finally:
            with self._lock:
                version.users -= 1

    def states(self):
        """(number, state, error or None) of each version that was found once, highest first."""
        with self._lock:
            versions = sorted(self._versions.values(), key=lambda version: -version.number)
            return [(version.number, version.state, version.error) for version in versions]

    def _available(self):
        return [version for version in self._versions.values() if version.state == Status.AVAILABLE]

    def _try_to_load(self, number, path):
        with self._lock:
            version = self._versions.get(number)
            if version and version.state in (Status.AVAILABLE, Status.UNLOADING):
                return
        seen = fingerprint(path)
        if version and version.error and version.seen == seen:
            return
        version = Version(number, path, Status.LOADING, seen=seen)
        with self._lock:
            self._versions[number] = version
        try:
            servable = self._load(self.config.name, number, path)
        except Exception as error:
            with self._lock:
                version.state, version.error = Status.END, serving_error(error)
            logging.error("%s: version %d cannot be served: %s", self.config.name, number, error)
            return
        with self._lock:
            version.servable, version.state = servable, Status.AVAILABLE
        logging.info("%s: version %d is served.", self.config.name, number)

    def _retire(self, numbers):
        for number in numbers:
            version = self._versions[number]
            version.state = Status.UNLOADING if version.servable else Status.END

    def _close_retired(self):
        with self._lock:
            gone = [v for v in self._versions.values() if v.state == Status.UNLOADING and not v.users]
            servables = [version.servable for version in gone]
            for version in gone:
                version.servable, version.state = None, Status.END
                logging.info("%s: version %d is unloaded.", self.config.name, version.number)
        for servable in servables:
            servable.close()


def not_found(name, number=None):
    """The error for a version that is not served, or any where no number is given."""
    wanted = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return ServingError("NOT_FOUND", f"Servable not found for request: {wanted}")
