"""The processes that train one run together, as flags or TF_CONFIG name them; nothing here imports TensorFlow."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from tfwarpgan.errors import InputError
from tfwarpgan.options import WorkerOptions

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/,\[\]]+):([0-9]{1,5})")
_JOBS = ("chief", "master", "worker")  # in the order in which TensorFlow numbers them


@dataclasses.dataclass(frozen=True)
class Workers:
    """The processes of a training, and which of them this is.

    Attributes:
        addresses: host:port of each; the first is the chief, which alone writes.
        index: The place of this process among them.
        communication: How they add up gradients: "auto", "ring" or "nccl".
    """

    addresses: tuple[str, ...] = ("",)
    index: int = 0
    communication: str = "auto"

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.addresses)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints, events and flags."""
        return self.index == 0


ALONE = Workers()  # one process


def find_workers(options: WorkerOptions, environment: Mapping[str, str] = os.environ) -> Workers:
    """The workers that --workers and --worker name; without them those of TF_CONFIG; without it this process alone.

    Args:
        options: `WorkerOptions`.
        environment: Environment variables.

    Raises:
        InputError: If the flags or TF_CONFIG do not say which processes there are and which this is.
    """
    if options.workers:
        addresses, index, source = tuple(options.workers.split(",")), options.worker, "--workers"
        if index < 0:
            raise InputError(
                f"--worker is missing: say which of the {len(addresses)} --workers this process is, from 0."
            )
    elif options.worker >= 0:
        raise InputError(f"--worker={options.worker} needs --workers, the addresses of all of them.")
    else:
        addresses, index = _from_tf_config(environment.get("TF_CONFIG") or "{}")
        source = "TF_CONFIG"
    if not addresses:
        return ALONE
    _check(addresses, index, source)
    return Workers(addresses, index, options.communication)


def _from_tf_config(text: str) -> tuple[tuple[str, ...], int]:
    """(addresses of all workers, place of this process among them); no addresses if it names no cluster."""
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster") or {}, config.get("task") or {}
        jobs = {job: [str(address) for address in addresses] for job, addresses in cluster.items()}
        place = str(task.get("type", "")), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError):
        raise InputError(
            'TF_CONFIG cannot be read: it is JSON such as {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
            '"worker", "index": 0}}.'
        ) from None
    return _placed(jobs, *place) if jobs else ((), 0)


def _placed(jobs: Mapping[str, Any], job: str, index: int) -> tuple[tuple[str, ...], int]:
    others = sorted({*jobs, job} - {*_JOBS, ""})
    if others:
        raise InputError(f"TF_CONFIG names a job '{others[0]}': a training has jobs {', '.join(_JOBS)} only.")
    if not 0 <= index < len(jobs.get(job, ())):
        raise InputError(f"TF_CONFIG: its task {index} of job '{job}' is not in its cluster.")
    addresses = [address for name in _JOBS for address in jobs.get(name, ())]
    before = sum(len(jobs.get(name, ())) for name in _JOBS[: _JOBS.index(job)])
    return tuple(addresses), before + index


def _check(addresses: tuple[str, ...], index: int, source: str) -> None:
    for address in addresses:
        found = _ADDRESS.fullmatch(address)
        if not found or int(found[2]) > 65535:
            raise InputError(f"{source}: '{address}' is no address; write host:port, separated by commas.")
        if addresses.count(address) > 1:
            raise InputError(f"{source} names {address} twice; each worker has an address of its own.")
    if index >= len(addresses):
        raise InputError(f"--worker={index} must be below the {len(addresses)} --workers; they count from 0.")
