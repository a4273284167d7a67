"""AUNET (Esser et al., "A Variational U-Net for Conditional Appearance and Shape Generation", CVPR 2018).

One half of the network draws a stickman up to its coarsest scale and back; on the way back, at the two coarsest scales,
codes of what the person looks like come in, which the other half finds in crops of the parts of the body. It learns to
reconstruct the condition image from its own crops and stickman, so it needs neither pairs nor an adversary. The codes
are kept close to what a third part, the prior, expects of the stickman alone; a transfer uses their means, and no
prior.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.draws import normal_around, seeds_from
from tfwarpgan.layers.part_crops import NUM_CROPS, part_crops
from tfwarpgan.layers.stickman import stickman
from tfwarpgan.layers.unet import halvings_of
from tfwarpgan.layers.weight_normalized import (
    WeightNormalizedBlock,
    WeightNormalizedConvolution,
    data_dependent_start,
)
from tfwarpgan.models.build import built
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.options import DataOptions, Options
from tfwarpgan.typing import Batch, Features, Image, Size, Tensor, Tensors

WIDEST = 4  # times the width of the stickman's first map
LATENT_SCALES = 2
GROUPS = 4  # of positions, one in each square of 2 x 2
Seeds = Iterator[Tensor | None]


class UpPass(BuiltByCall, keras.layers.Layer):
    """[B, H, W, C] -> the list of maps, finest first, two on each scale; each scale is half as large as the last one.

    Args:
        widths: Channels of each scale.
    """

    def __init__(self, widths: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = WeightNormalizedConvolution(widths[0], 1)
        self.blocks = [WeightNormalizedBlock(width) for width in widths for _ in range(2)]
        self.steps = [WeightNormalizedConvolution(width, strides=2) for width in widths[1:]]

    def call(self, inputs: Features, seeds: Seeds) -> list[Features]:
        features, maps = self.first(inputs), []
        for level, block in enumerate(self.blocks):
            if level and level % 2 == 0:
                features = self.steps[level // 2 - 1](features)
            features = block(features, seed=next(seeds))
            maps.append(features)
        return maps


class Upscaling(BuiltByCall, keras.layers.Layer):
    """Doubles the size: a 3x3 convolution to four times the channels, which become squares of 2 x 2."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolution = WeightNormalizedConvolution(4 * filters)

    def call(self, inputs: Features) -> Features:
        return tf.nn.depth_to_space(self.convolution(inputs), 2)


class AppearanceEncoder(BuiltByCall, keras.layers.Layer):
    """Crops [B, h, w, 24] -> the codes of the two coarsest scales, coarsest first: (their means, samples of them).

    Its way back goes one block beyond the last code, which nothing reads, as in the authors' network.

    Args:
        widths: Channels of each scale, finest first, of three at least.
    """

    def __init__(self, widths: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.up = UpPass(widths)
        coarsest = widths[::-1][: LATENT_SCALES + 1]
        self.first = WeightNormalizedConvolution(coarsest[0], 1)
        self.blocks = [WeightNormalizedBlock(width, with_skip=True) for width in coarsest]
        self.means = [WeightNormalizedConvolution(width) for width in coarsest[:-1]]
        self.mean_blocks = [WeightNormalizedBlock(width, with_skip=True) for width in coarsest[:-1]]
        self.steps = [Upscaling(width) for width in coarsest[1:]]

    def call(self, crops: Features, seeds: Seeds) -> tuple[list[Features], list[Features]]:
        maps = self.up(crops, seeds=seeds)
        features = self.blocks[0](self.first(maps[-1]), maps.pop(), seed=next(seeds))
        means, samples = [], []
        for to_mean, mean_block, step, block in zip(self.means, self.mean_blocks, self.steps, self.blocks[1:]):
            means.append(to_mean(features))
            samples.append(_sample(means[-1], next(seeds)))
            skip = tf.concat([maps.pop(), samples[-1]], axis=-1)
            features = block(step(mean_block(features, skip, seed=next(seeds))), maps.pop(), seed=next(seeds))
        return means, samples


def _sample(mean: Features, seed: Tensor | None) -> Features:
    """A normal sample of deviation 1; without a seed its mean."""
    return mean if seed is None else normal_around(mean, seed)


class Prior(BuiltByCall, keras.layers.Layer):
    """What a code's mean is expected to be, from the decoder's features and, group by group, the code's own positions.

    [B, h, w, C] and the code [B, h, w, C] -> [B, h, w, C]. Each group of positions sees those before it.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = WeightNormalizedBlock(filters)
        self.means = [WeightNormalizedConvolution(filters) for _ in range(GROUPS)]
        self.blocks = [WeightNormalizedBlock(GROUPS * filters, with_skip=True) for _ in range(GROUPS - 1)]

    def call(self, features: Features, code: Features, seeds: Seeds) -> Features:
        groups = tf.split(tf.nn.space_to_depth(code, 2), GROUPS, axis=-1)
        features = tf.nn.space_to_depth(self.first(features, seed=next(seeds)), 2)
        means = [self.means[0](features)]
        for block, to_mean, group in zip(self.blocks, self.means[1:], groups):
            features = block(features, group, seed=next(seeds))
            means.append(to_mean(features))
        return tf.nn.depth_to_space(tf.concat(means, axis=-1), 2)


class ShapeDecoder(BuiltByCall, keras.layers.Layer):
    """A stickman [B, H, W, 3] and the codes, coarsest first -> (linear float32 [B, H, W, 3], the priors of the codes).

    Args:
        widths: Channels of each scale, finest first.
    """

    def __init__(self, widths: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        coarse_first = widths[::-1]
        self.up = UpPass(widths)
        self.first = WeightNormalizedConvolution(coarse_first[0], 1)
        self.blocks = [WeightNormalizedBlock(width, with_skip=True) for width in coarse_first for _ in range(2)]
        self.priors = [Prior(width) for width in coarse_first[:LATENT_SCALES]]
        self.joints = [WeightNormalizedConvolution(width, 1) for width in coarse_first[:LATENT_SCALES]]
        self.steps = [Upscaling(width) for width in coarse_first[1:]]
        self.output_convolution = WeightNormalizedConvolution(3, dtype="float32")

    def call(
        self, drawing: Features, codes: list[Features], seeds: Seeds, with_priors: bool
    ) -> tuple[Image, list[Features]]:
        maps, priors = self.up(drawing, seeds=seeds), []
        features = self.first(maps[-1])
        for scale in range(len(self.steps) + 1):
            features = self.blocks[2 * scale](features, maps.pop(), seed=next(seeds))
            if scale < len(codes):
                if with_priors:
                    priors.append(self.priors[scale](features, codes[scale], seeds=seeds))
                features = self.joints[scale](tf.concat([features, codes[scale]], axis=-1))
            features = self.blocks[2 * scale + 1](features, maps.pop(), seed=next(seeds))
            if scale < len(self.steps):
                features = self.steps[scale](features)
        return self.output_convolution(tf.cast(features, tf.float32)), priors


class VariationalUNet(BuiltByCall, keras.Model):
    """`crops` [B, h, w, 24] and `stickman` [B, H, W, 3] -> {"image": float32 [B, H, W, 3]}, linear.

    With a `seed`, in training, it drops and samples, and gives `means` and `priors` too, lists of [B, h, w, C].

    Args:
        width: Channels of the stickman's first map; they double up to 4 x width. 32 in the paper.
        scales: Of the stickman's maps; 7 at 256 x 256.
        box: How often the crops are half as large as the image.
    """

    def __init__(self, width: int, scales: int, box: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        widths = [width * min(2**level, WIDEST) for level in range(scales)]
        self.encoder, self.decoder = AppearanceEncoder(widths[box:]), ShapeDecoder(widths)

    def call(self, inputs: Tensors) -> dict[str, Any]:
        seed = inputs.get("seed")
        seeds = seeds_from(seed)
        means, samples = self.encoder(inputs["crops"], seeds=seeds)
        image, priors = self.decoder(inputs["stickman"], codes=samples, seeds=seeds, with_priors=seed is not None)
        return {"image": image} if seed is None else {"image": image, "means": means, "priors": priors}


class VariationalPipeline(ImagePipeline):
    """The system, which learns from each condition image alone.

    Args:
        networks: Its network, by its stage.
        options: `Options`.
    """

    made = "condition"

    def __init__(self, networks: Mapping[str, Any], options: Options) -> None:
        super().__init__(networks, options)
        self.crop_size = _crop_size(options.data)

    def conditions(self, batch: Batch) -> dict[str, Tensor]:
        """The crops of the condition image, and the target pose as a stickman."""
        own, target = ((batch[f"{side}_keypoints"], batch[f"{side}_visible"]) for side in ("condition", "target"))
        return {
            "crops": part_crops(batch["condition_image"], *own, self.crop_size),
            "stickman": stickman(*target, self.height, self.width),
        }

    def start(self, draw: Callable[[], Batch]) -> None:
        """The network's data-dependent start, from what it sees while it is trained."""
        with data_dependent_start():
            self.generate(self.practice(draw())[0], training=True, seed=tf.zeros([2], tf.int32))


pipeline = VariationalPipeline


def _halvings(data: DataOptions) -> int:
    """Of the stickman: to a shorter side of 2 pixels, in large images of 4, and always to even sides."""
    shorter = min(data.height, data.width)
    return min(halvings_of(data.height, data.width, 10) - 1, (shorter // (4 if shorter >= 256 else 2)).bit_length() - 1)


def _box(data: DataOptions) -> int:
    """How often the crops are half as large as the image."""
    return min(2 if data.height >= 256 else 1, _halvings(data) - LATENT_SCALES)


def _crop_size(data: DataOptions) -> Size:
    return data.height >> _box(data), data.width >> _box(data)


def image_generator(options: Options) -> VariationalUNet:
    """The network."""
    data = options.data
    network = VariationalUNet(options.networks.generator_width, 1 + _halvings(data), _box(data))
    crops = tf.zeros([1, *_crop_size(data), 3 * NUM_CROPS])
    return built(network, ["stickman"], data, crops=crops, seed=tf.zeros([2], tf.int32))
