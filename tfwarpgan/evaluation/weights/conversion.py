"""Public files of weights as npz files, which are all that is read when a metric is measured.

An npz file holds `LAYER/kernel` (height, width, in, out) and `LAYER/bias` of each convolution, batch normalization
multiplied in; `fc/kernel` and `fc/bias` of Inception's classifier; and where all that came from: `source` (name of the
file), `sha256` (of the file) and `verified` (whether that sum is a known one).
"""

import dataclasses
import hashlib
import io
import os
import tarfile
import zipfile

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.weights.graph_def import BATCH_NORM_EPSILON, node_names, read_graph_def
from tfwarpgan.evaluation.weights.keras_inception import read_keras_inception
from tfwarpgan.evaluation.weights.known import NETWORKS
from tfwarpgan.evaluation.weights.safetensors import read_safetensors
from tfwarpgan.evaluation.weights.torch_file import read_torch_file
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Array, Arrays

FACTS = ("source", "sha256", "verified")
_CONVOLUTIONS = {
    "alexnet": [f"features.{number}" for number in (0, 3, 6, 8, 10)],
    "vgg16": [f"features.{number}" for number in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)],
    "squeezenet": [
        "features.0",
        *(
            f"features.{n}.{part}"
            for n in (3, 4, 6, 7, 9, 10, 11, 12)
            for part in ("squeeze", "expand1x1", "expand3x3")
        ),
    ],
}
_KERAS_VGG = (
    "the VGG16 of Keras, which was trained on other pictures' ranges than torchvision's; the heads of LPIPS and DISTS "
    "were fitted to torchvision's"
)


@dataclasses.dataclass(frozen=True)
class Weights:
    """Arrays of a network by name, and where they came from."""

    arrays: Arrays
    source: str
    sha256: str
    verified: bool

    def __str__(self) -> str:
        return f"{self.source} sha256:{self.sha256[:12]}{'' if self.verified else ' (not a known sum)'}"


def convert(path: str, folder: str, unverified: bool = False) -> tuple[str, str]:
    """Converts a public file of weights.

    Args:
        path: .pth or .pt of PyTorch, .safetensors, .pb or .tgz of the Inception of 2015.
        folder: Where the npz file goes.
        unverified: Whether a file with an unknown sum is taken too; its numbers then say so.

    Returns:
        (name of the network, path of its npz file).

    Raises:
        InputError: If the file cannot be read, holds none of the networks, or its sum is not a known one.
    """
    tensors = _read(os.path.expanduser(path))
    network = _network_of(tensors, path)
    digest = file_sha256(os.path.expanduser(path))
    known = NETWORKS[network].sha256
    verified = any(digest.startswith(start) for start in known)
    if not (verified or unverified or network == "inception_keras"):  # whose numbers compare with none
        raise InputError(
            f"{path} has the layers of {network} but not the sha256 of a file that is known to hold its weights (its "
            f"own begins with {digest[:12]}); expected {NETWORKS[network].file}. --unverified takes it all the same."
        )
    weights = Weights(_arrays_of(network, tensors, path), os.path.basename(path), digest, verified)
    written = os.path.join(os.path.expanduser(folder), f"{network}.npz")
    save_weights(written, weights)
    return network, written


def file_sha256(path: str) -> str:
    """The sum of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _sum(file)


def _sum(file: io.BufferedReader) -> str:
    found = hashlib.sha256()  # Python 3.10
    while part := file.read(1 << 20):
        found.update(part)
    return found.hexdigest()


def save_weights(path: str, weights: Weights) -> None:
    """Writes weights as an npz file, whole or not at all."""
    content = io.BytesIO()
    facts = {name: np.array(getattr(weights, name)) for name in FACTS}
    np.savez(content, **facts, **weights.arrays)  # type: ignore[arg-type]
    write_atomically(path, content.getvalue())


def load_weights(network: str, folder: str) -> Weights:
    """The weights of a network.

    Raises:
        InputError: If they are not there, telling what to convert, or the file is damaged.
    """
    path = os.path.join(os.path.expanduser(folder), f"{network}.npz")
    if not os.path.isfile(path):
        raise InputError(
            f"{path} is missing; {NETWORKS[network].use} need it: get {NETWORKS[network].file}, then run "
            f"python -m tfwarpgan.convert --file=FILE --metric_weights={folder}"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name not in FACTS}
            source, digest, verified = (archive[name].item() for name in FACTS)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise InputError(f"{path} is not a readable npz file of weights; convert it again.") from None
    return Weights(arrays, source, digest, verified)


def _read(path: str) -> Arrays:
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing; give a file of weights.")
    with open(path, "rb") as file:
        start = file.read(8)
    if path.endswith(".npz"):
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.zeros(0) for name in archive.files}
    if path.endswith(".safetensors"):
        return read_safetensors(path)
    if path.endswith((".pb", ".tgz", ".tar.gz")) or tarfile.is_tarfile(path):
        return read_graph_def(path)
    if start == b"\x89HDF\r\n\x1a\n":
        return read_keras_inception(path)
    return read_torch_file(path)


def _network_of(tensors: Arrays, path: str) -> str:
    """The network whose layers a file has."""
    names = set(tensors)
    if any(name.startswith("block1_conv1") for name in names):
        raise InputError(f"{path} holds {_KERAS_VGG}: convert {NETWORKS['vgg16'].file}.")
    if "Conv2d_1a_3x3/kernel" in names:
        return "inception_keras"
    if "Mixed_7c.branch_pool.conv.weight" in names:
        return "inception_2015" if len(tensors.get("fc.weight", ())) % 1000 == 8 else "inception_torchvision"
    if {"lin0.model.1.weight", "alpha"} & names:
        raise InputError(f"{path} holds heads, which tfwarpgan brings along; convert the network below them.")
    for network, convolutions in reversed(_CONVOLUTIONS.items()):
        if all(f"{name}.weight" in names for name in convolutions):
            return network
    raise InputError(f"{path} holds none of the networks {', '.join(NETWORKS)}; see docs/evaluation.md.")


def _arrays_of(network: str, tensors: Arrays, path: str) -> dict[str, Array]:
    if network == "inception_keras":
        return dict(tensors)
    try:
        if network.startswith("inception"):
            arrays: dict[str, Array] = {}
            for name in node_names():
                arrays |= _normalized(name, tensors)
            return {**arrays, "fc/kernel": tensors["fc.weight"].T, "fc/bias": tensors["fc.bias"]}
        return {
            f"{name}/{ours}": _hwio(tensors[f"{name}.{theirs}"])
            for name in _CONVOLUTIONS[network]
            for ours, theirs in (("kernel", "weight"), ("bias", "bias"))
        }
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} lacks a part of {network} ({error}); fetch it again.") from None


def _normalized(name: str, tensors: Arrays) -> dict[str, Array]:
    """A convolution with the batch normalization behind it multiplied in, as float32."""
    parts = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (tensors[f"{name}.bn.{part}"].astype(np.float64) for part in parts)
    scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = _hwio(tensors[f"{name}.conv.weight"].astype(np.float64)) * scale
    return {
        f"{name}/kernel": kernel.astype(np.float32), f"{name}/bias": (beta - mean * scale).astype(np.float32)
    }  # fmt: skip


def _hwio(array: Array) -> Array:
    return np.ascontiguousarray(array.transpose(2, 3, 1, 0)) if array.ndim == 4 else array
