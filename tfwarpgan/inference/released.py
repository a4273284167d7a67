"""Released weights: one folder per release, with the networks in half precision, the run's options and its metrics.

The npz files hold plain arrays, `network/number`, in the order of the network's weights; they are read without pickle
on either stack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tfwarpgan.errors import InputError
from tfwarpgan.options import RUN_FLAGFILE

if TYPE_CHECKING:
    from tensorflow import keras

ROOT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "weights")
WEIGHTS_FILE = "weights.npz"
PARSER_FOLDER = "human_parser"  # in that of a release: the human parser that labels images for it
MANTISSA_BITS = 6


def half(weight: npt.ArrayLike) -> npt.NDArray[np.float16]:
    """A weight as float16, rounded to 6 of its 10 bits of mantissa: what training leaves below is noise, and
    noise does not compress.
    """
    bits = np.asarray(weight, np.float16).view(np.uint16).astype(np.uint32)
    dropped = 10 - MANTISSA_BITS
    magnitude = ((bits & 0x7FFF) + (1 << (dropped - 1))) >> dropped << dropped
    return (magnitude | (bits & 0x8000)).astype(np.uint16).view(np.float16)


def save_weights(path: str, networks: Mapping[str, keras.Model]) -> None:
    """Writes networks to an npz file as float16, see `half`.

    Args:
        path: The file.
        networks: Dictionary, name -> built Keras model.
    """
    arrays: dict[str, Any] = {
        f"{name}/{number:03d}": half(weight)
        for name, network in networks.items()
        for number, weight in enumerate(network.get_weights())
    }
    np.savez_compressed(path, **arrays)


def load_weights(path: str, networks: Mapping[str, keras.Model]) -> None:
    """Gives networks the weights of an npz file, as `save_weights` wrote it.

    Raises:
        InputError: If the file does not hold exactly these networks at their sizes.
    """
    with np.load(path, allow_pickle=False) as archive:
        for name, network in networks.items():
            expected = [tuple(weight.shape) for weight in network.get_weights()]
            keys = sorted(key for key in archive.files if key.startswith(f"{name}/"))
            arrays = [archive[key] for key in keys]
            if [array.shape for array in arrays] != expected:
                raise InputError(f"{path} does not hold the network {name} at the size of these options.")
            network.set_weights([array.astype(np.float32) for array in arrays])


def load_released(name: str, build: Mapping[str, Callable[[], keras.Model]]) -> dict[str, keras.Model]:
    """The networks of a release.

    Args:
        name: Name of the release, such as "people".
        build: Dictionary, name of a network -> function without arguments that builds it.

    Returns:
        Dictionary, name -> network.

    Raises:
        InputError: If there is no such release, or the options are not those it was trained with.
    """
    networks = {network: make() for network, make in build.items()}
    load_weights(os.path.join(released_folder(name), WEIGHTS_FILE), networks)
    return networks


def released_folder(name: str) -> str:
    """The folder of released weights of that name.

    Raises:
        InputError: If there are none.
    """
    folder = os.path.join(ROOT, name)
    if not os.path.exists(os.path.join(folder, RUN_FLAGFILE)):
        names = ", ".join(released_names()) or "none"
        raise InputError(f"There are no released weights --weights={name}; there are: {names}.")
    return folder


def released_parser(name: str) -> str:
    """The name of the human parser that is released with weights of that name; empty: there is none."""
    parser = f"{name}/{PARSER_FOLDER}"
    return parser if name and os.path.exists(os.path.join(ROOT, parser, RUN_FLAGFILE)) else ""


def released_names() -> list[str]:
    """The names of all released weights, sorted."""
    return sorted(entry for entry in os.listdir(ROOT) if os.path.exists(os.path.join(ROOT, entry, RUN_FLAGFILE)))
