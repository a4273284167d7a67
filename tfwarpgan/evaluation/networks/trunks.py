"""The convolutional trunks below LPIPS and DISTS, as functions of their weights: features of several depths.

AlexNet (Krizhevsky, "One weird trick", 2014), VGG16 (Simonyan and Zisserman, ICLR 2015) and SqueezeNet 1.1 (Iandola et
al., 2016), as torchvision builds them. TensorFlow's "SAME" pads AlexNet's first convolution unevenly, so that paddings
are explicit.
"""

from collections.abc import Callable, Iterator

import tensorflow as tf

from tfwarpgan.typing import Arrays, Tensor

Pool = Callable[[Tensor], Tensor]
_VGG16 = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # convolutions between poolings


def alexnet(images: Tensor, arrays: Arrays) -> list[Tensor]:
    """The five activations of AlexNet; images float [B, H, W, 3], normalized."""
    taps = [tf.nn.relu(_conv(images, arrays, "features.0", 4, 2))]
    taps.append(tf.nn.relu(_conv(_pool3(taps[-1]), arrays, "features.3", 1, 2)))
    x = _pool3(taps[-1])
    for number in (6, 8, 10):
        x = tf.nn.relu(_conv(x, arrays, f"features.{number}", 1, 1))
        taps.append(x)
    return taps


def vgg16(images: Tensor, arrays: Arrays, pool: Pool | None = None) -> list[Tensor]:
    """The last activations of VGG16's five blocks; `pool` in place of its maximum (DISTS)."""
    x, taps = images, []
    for number, block in enumerate(_VGG16):
        if number:
            x = pool(x) if pool else tf.nn.max_pool2d(x, 2, 2, "VALID")
        for layer in block:
            x = tf.nn.relu(_conv(x, arrays, f"features.{layer}", 1, 1))
        taps.append(x)
    return taps


def squeezenet(images: Tensor, arrays: Arrays) -> list[Tensor]:
    """The seven activations of SqueezeNet 1.1 that LPIPS takes."""
    x = tf.nn.relu(_conv(images, arrays, "features.0", 2, 0))
    taps = [x]
    for group in ((3, 4), (6, 7)):
        x = _fires(_pool3(x, ceil=True), arrays, group)
        taps.append(x)
    x = _pool3(x, ceil=True)
    for number in (9, 10, 11, 12):
        x = _fires(x, arrays, (number,))
        taps.append(x)
    return taps


TRUNKS: dict[str, Callable[[Tensor, Arrays], list[Tensor]]] = {
    "alexnet": alexnet, "vgg16": vgg16, "squeezenet": squeezenet
}  # fmt: skip


def _fires(x: Tensor, arrays: Arrays, numbers: tuple[int, ...]) -> Tensor:
    for number in numbers:
        squeezed = tf.nn.relu(_conv(x, arrays, f"features.{number}.squeeze", 1, 0))
        x = tf.concat(list(_expanded(squeezed, arrays, f"features.{number}")), axis=-1)
    return x


def _expanded(x: Tensor, arrays: Arrays, name: str) -> Iterator[Tensor]:
    for side in (1, 3):
        yield tf.nn.relu(_conv(x, arrays, f"{name}.expand{side}x{side}", 1, side // 2))


def _conv(x: Tensor, arrays: Arrays, name: str, stride: int, padding: int) -> Tensor:
    kernel, bias = (tf.constant(arrays[f"{name}/{part}"], x.dtype) for part in ("kernel", "bias"))
    return tf.nn.conv2d(x, kernel, stride, [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]) + bias


def _pool3(x: Tensor, ceil: bool = False) -> Tensor:
    """Maximum of 3 x 3 at stride 2; `ceil`: a last window may reach beyond the border."""
    if ceil:
        size = tf.shape(x)[1:3]
        more = tf.where(size > 3, tf.math.floormod(size - 3, 2), 0)
        x = tf.pad(x, [[0, 0], [0, more[0]], [0, more[1]], [0, 0]], constant_values=x.dtype.min)
    return tf.nn.max_pool2d(x, 3, 2, "VALID")
