"""Released weights: a folder a release, with the networks in half precision, the run's options and its metrics.

The npz files hold plain arrays, `network/number`, in the order of the network's weights; they are read without pickle
on either stack.
"""

import os

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.options import RUN_FLAGFILE

ROOT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "weights")
WEIGHTS_FILE = "weights.npz"
MANTISSA_BITS = 6


def half(weight):
    """A weight as float16, rounded to 6 of its 10 bits of mantissa: what training leaves below is noise, and
    noise does not compress.
    """
    bits = np.asarray(weight, np.float16).view(np.uint16).astype(np.uint32)
    dropped = 10 - MANTISSA_BITS
    magnitude = ((bits & 0x7FFF) + (1 << (dropped - 1))) >> dropped << dropped
    return (magnitude | (bits & 0x8000)).astype(np.uint16).view(np.float16)


def save_weights(path, networks):
    """Writes networks to an npz file as float16, see `half`.

    Args:
        path: The file.
        networks: Dictionary, name -> built Keras model.
    """
    arrays = {
        f"{name}/{number:03d}": half(weight)
        for name, network in networks.items()
        for number, weight in enumerate(network.get_weights())
    }
    np.savez_compressed(path, **arrays)


def load_weights(path, networks):
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


def load_released(name, build):
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


def released_folder(name):
    """The folder of released weights of that name.

    Raises:
        InputError: If there are none.
    """
    folder = os.path.join(ROOT, name)
    if not os.path.exists(os.path.join(folder, RUN_FLAGFILE)):
        names = sorted(entry for entry in os.listdir(ROOT) if os.path.exists(os.path.join(ROOT, entry, RUN_FLAGFILE)))
        raise InputError(f"--weights={name} is not released; there are: {', '.join(names) or 'none'}.")
    return folder
