"""Inception v3 in the three forms that the field measures with, as a function of its weights.

The forms have the same convolutions and differ in pooling: averages of 2015's graph and of Keras do not count the
padding, torchvision's do; and the last block of 2015's graph takes the maximum where the others average. Widths
are those of the weights.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from tfwarpgan.typing import Arrays, Tensor

Pool = Callable[[Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class Form:
    """How a form pools inside its blocks, and inside the last one."""

    counts_padding: bool = False
    last_is_maximum: bool = False


FORMS = {
    "inception_2015": Form(last_is_maximum=True),
    "inception_torchvision": Form(counts_padding=True),
    "inception_keras": Form(),
}


def pooled_features(images: Tensor, arrays: Arrays, form: Form) -> Tensor:
    """The features in front of the classifier.

    Args:
        images: float32 [B, 299, 299, 3], scaled as the form expects.
        arrays: See `weights.conversion`.
        form: A value of `FORMS`.

    Returns:
        float32 [B, 2048].
    """
    net = _Blocks(arrays, form)
    x = net.conv(images, "Conv2d_1a_3x3", 2, "VALID")
    x = net.conv(x, "Conv2d_2a_3x3", 1, "VALID")
    x = _halved(net.conv(x, "Conv2d_2b_3x3"))
    x = net.conv(x, "Conv2d_3b_1x1")
    x = _halved(net.conv(x, "Conv2d_4a_3x3", 1, "VALID"))
    for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        x = net.block_a(x, block)
    x = net.block_b(x, "Mixed_6a")
    for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        x = net.block_c(x, block)
    x = net.block_d(x, "Mixed_7a")
    x = net.block_e(x, "Mixed_7b", net.average)
    x = net.block_e(x, "Mixed_7c", _maximum if form.last_is_maximum else net.average)
    return tf.reduce_mean(x, axis=(1, 2))


def logits_without_bias(features: Tensor, arrays: Arrays) -> Tensor:
    """The classifier of 2015's graph without its bias, as the Inception Score takes it: [B, 2048] -> [B, 1008]."""
    return tf.matmul(features, tf.constant(arrays["fc/kernel"], tf.float32))


class _Blocks:
    """The blocks of one set of weights; each gives the concatenation of its branches."""

    def __init__(self, arrays: Arrays, form: Form) -> None:
        self._arrays, self._form = arrays, form

    def conv(self, x: Tensor, name: str, stride: int = 1, padding: str = "SAME") -> Tensor:
        kernel, bias = (tf.constant(self._arrays[f"{name}/{part}"], tf.float32) for part in ("kernel", "bias"))
        return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, padding) + bias)

    def chain(self, x: Tensor, block: str, *branches: str) -> Tensor:
        """Convolutions one behind the other."""
        for branch in branches:
            x = self.conv(x, f"{block}.{branch}")
        return x

    def average(self, x: Tensor) -> Tensor:
        if not self._form.counts_padding:
            return tf.nn.avg_pool2d(x, 3, 1, "SAME")
        return tf.nn.avg_pool2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), 3, 1, "VALID")

    def block_a(self, x: Tensor, block: str) -> Tensor:
        return tf.concat(
            [
                self.chain(x, block, "branch1x1"),
                self.chain(x, block, "branch5x5_1", "branch5x5_2"),
                self.chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
                self.chain(self.average(x), block, "branch_pool"),
            ],
            axis=-1,
        )

    def block_b(self, x: Tensor, block: str) -> Tensor:
        double = self.chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2")
        branches = [
            self.conv(x, f"{block}.branch3x3", 2, "VALID"),
            self.conv(double, f"{block}.branch3x3dbl_3", 2, "VALID"),
        ]
        return tf.concat([*branches, _halved(x)], axis=-1)

    def block_c(self, x: Tensor, block: str) -> Tensor:
        return tf.concat(
            [
                self.chain(x, block, "branch1x1"),
                self.chain(x, block, *(f"branch7x7_{number}" for number in (1, 2, 3))),
                self.chain(x, block, *(f"branch7x7dbl_{number}" for number in (1, 2, 3, 4, 5))),
                self.chain(self.average(x), block, "branch_pool"),
            ],
            axis=-1,
        )

    def block_d(self, x: Tensor, block: str) -> Tensor:
        three = self.chain(x, block, "branch3x3_1")
        seven = self.chain(x, block, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3")
        branches = [
            self.conv(three, f"{block}.branch3x3_2", 2, "VALID"),
            self.conv(seven, f"{block}.branch7x7x3_4", 2, "VALID"),
        ]
        return tf.concat([*branches, _halved(x)], axis=-1)

    def block_e(self, x: Tensor, block: str, pool: Pool) -> Tensor:
        three = self.chain(x, block, "branch3x3_1")
        double = self.chain(x, block, "branch3x3dbl_1", "branch3x3dbl_2")
        return tf.concat(
            [
                self.chain(x, block, "branch1x1"),
                *(self.chain(three, block, f"branch3x3_2{part}") for part in "ab"),
                *(self.chain(double, block, f"branch3x3dbl_3{part}") for part in "ab"),
                self.chain(pool(x), block, "branch_pool"),
            ],
            axis=-1,
        )


def _halved(x: Tensor) -> Tensor:
    return tf.nn.max_pool2d(x, 3, 2, "VALID")


def _maximum(x: Tensor) -> Tensor:
    return tf.nn.max_pool2d(x, 3, 1, "SAME")
