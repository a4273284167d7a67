"""VGG16 and VGG19 features: the human parser's backbone and the perceptual loss stand on them.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015, as built by
`tf.keras.applications`. They were trained on BGR images of range 0..255 less the mean color, without division.
"""

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow import keras

from tfwarpgan.errors import InputError
from tfwarpgan.layers.convolution import Convolution
from tfwarpgan.layers.pixels import to_levels
from tfwarpgan.typing import Image

MEAN_BGR = (103.939, 116.779, 123.68)


def preprocess(images: Image) -> Image:
    """What the ImageNet weights expect.

    Args:
        images: [B, H, W, 3] RGB in [-1, 1], any float type.

    Returns:
        [B, H, W, 3] BGR in 0..255 less the mean color, of the same type.
    """
    return to_levels(images[..., ::-1]) - tf.constant(MEAN_BGR, images.dtype)


def vgg_features(network: str, outputs: Sequence[str], *, dilated: bool = False, name: str = "vgg") -> keras.Model:
    """A VGG trunk that gives the features of several layers at once; its weights are random until `load_weights`.

    Args:
        network: "VGG16" or "VGG19".
        outputs: Names of layers as in tf.keras.applications, e.g. "block3_conv3", in order of depth; layers behind the
            last one are left out.
        dilated: Leave out the pooling behind block 4 and dilate block 5 by 2 instead, so that block 5 stays at stride 8
            and sees what it was trained to see (Chen et al., DeepLab).
        name: Name of the Keras model.

    Returns:
        A Keras model of preprocessed images [B, H, W, 3] that gives a list of [B, h, w, C], activated.
    """
    source = _application(network)(weights=None, include_top=False)
    picture = keras.Input((None, None, 3), name="picture")
    features, found = picture, {}
    for layer in source.layers[1:]:
        if dilated and layer.name in ("block4_pool", "block5_pool"):
            continue
        config = layer.get_config()
        if dilated and layer.name.startswith("block5_conv"):
            config["dilation_rate"] = (2, 2)
        # A new layer, built under the current policy: the application's own would keep its own graph.
        config.pop("dtype", None)
        kind = Convolution if isinstance(layer, keras.layers.Conv2D) else type(layer)
        features = found[layer.name] = kind.from_config(config)(features)
        if layer.name == outputs[-1]:
            break
    unknown = [output for output in outputs if output not in found]
    if unknown:
        raise ValueError(f"Expected layers of {network} in order of depth, received {unknown[0]!r} in {list(outputs)}.")
    return keras.Model(picture, [found[output] for output in outputs], name=name)


def load_weights(model: keras.Model, network: str, weights: str, flag: str = "human_parser_weights") -> None:
    """Gives the convolutions of a trunk of `vgg_features` their trained weights.

    Args:
        model: A Keras model with layers named as in tf.keras.applications.
        network: "VGG16" or "VGG19".
        weights: "none" (left as they are), "imagenet" (downloaded by tf.keras.applications) or an npz file with arrays
            "block1_conv1/kernel" [3, 3, in, out], "block1_conv1/bias" [out] and so on.
        flag: The flag that `weights` came from, named in errors.

    Raises:
        InputError: If the weights cannot be loaded or do not fit.
    """
    if weights == "none":
        return
    arrays = _fetch(network, flag) if weights == "imagenet" else _read(weights, flag)
    layers = [layer for layer in model.layers if layer.weights]
    found = [_arrays_of(layer, arrays, network, f"--{flag}={weights}") for layer in layers]
    for layer, values in zip(layers, found):
        layer.set_weights(values)


def _arrays_of(
    layer: keras.layers.Layer, arrays: Mapping[str, npt.NDArray[Any]], network: str, origin: str
) -> list[npt.NDArray[Any]]:
    values = []
    for part, variable in zip(("kernel", "bias"), layer.weights):
        name = f"{layer.name}/{part}"
        if name not in arrays:
            raise InputError(f"{origin} lacks the array {name}, which {network} needs; give weights of a {network}.")
        if arrays[name].shape != tuple(variable.shape):
            raise InputError(
                f"{origin}: {name} has shape {list(arrays[name].shape)}, but {network} needs {list(variable.shape)}."
            )
        values.append(arrays[name])
    return values


def check_weights(network: str, weights: str, flag: str) -> None:
    """Checks that the weights can be loaded, long before they are needed; see `load_weights`.

    Raises:
        InputError: If not.
    """
    if weights == "none":
        raise InputError(f"--{flag}=none would compare random features; give an npz file, or 'imagenet'.")
    last = {"VGG16": "block5_conv3", "VGG19": "block5_conv4"}[network]
    load_weights(vgg_features(network, [last]), network, weights, flag)


def _application(network: str) -> Callable[..., keras.Model]:
    if network not in ("VGG16", "VGG19"):
        raise ValueError(f"Expected network to be 'VGG16' or 'VGG19', received {network!r}.")
    return getattr(keras.applications, network)


def _fetch(network: str, flag: str) -> dict[str, npt.NDArray[Any]]:
    try:
        source = _application(network)(weights="imagenet", include_top=False)
    except Exception as error:  # keras.utils.get_file raises a bare Exception without internet access
        raise InputError(
            f"The ImageNet weights of {network} could not be downloaded ({str(error).splitlines()[0]}); "
            f"give an npz file of them with --{flag}=FILE."
        ) from error
    return {
        f"{layer.name}/{part}": value
        for layer in source.layers
        for part, value in zip(("kernel", "bias"), layer.get_weights())  # none where a layer has no weights
    }


def _read(path: str, flag: str) -> dict[str, npt.NDArray[Any]]:
    expanded = os.path.expanduser(path)
    if not os.path.isfile(expanded):
        raise InputError(f"--{flag}={path} does not exist; give an npz file of VGG convolution weights, or 'imagenet'.")
    try:
        with np.load(expanded, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile):
        raise InputError(f"--{flag}={path} is not a readable npz file; write it again with numpy.savez.") from None
