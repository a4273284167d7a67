"""A reconstruction of UPIS (Pumarola et al., "Unsupervised Person Image Synthesis in Arbitrary Poses", CVPR 2018).

There is no code of its authors; where their paper leaves it open, this is the residual network of Johnson et al. (ECCV
2016) as CycleGAN trains it, twice: as the generator, and before that, on real images, as the detector of poses that the
generator is judged by. The generator brings the image into the target pose and back again; no loss sees the target.
"""

import functools
from collections.abc import Mapping
from typing import Any

from tensorflow import keras

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import Decoder, Encoder, Trunk
from tfwarpgan.models.build import built
from tfwarpgan.models.discriminator import PatchDiscriminator, PyramidDiscriminator
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.resnet_generator import ResnetGenerator
from tfwarpgan.options import Options
from tfwarpgan.typing import PoseMap, Tensors

KEYS = ("condition_image", "target_pose")
HALVINGS = 2
UNPADDED = 56  # pixels of the shorter side from which on two unpadded convolutions leave something of an eighth of it


class PoseDetector(BuiltByCall, keras.Model):
    """`image` [B, H, W, 3] in [-1, 1] -> {"pose": float32 [B, H, W, 18]}, what `pose_map` draws, linear.

    Args:
        width: Channels of the first convolution; 64.
        blocks: Residual blocks; 9.
    """

    def __init__(self, width: int, blocks: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.encoder = Encoder(width, HALVINGS)
        self.trunk = Trunk(width << HALVINGS, blocks)
        self.decoder = Decoder(width << HALVINGS, width, NUM_JOINTS, halvings=HALVINGS)

    def call(self, inputs: Tensors) -> dict[str, PoseMap]:
        return {"pose": self.decoder(self.trunk(self.encoder(inputs["image"])))}


def pipeline(networks: Mapping[str, Any], options: Options) -> ImagePipeline:
    """The generator alone: the detector is for its training."""
    return ImagePipeline({"unpaired_generator": networks["unpaired_generator"]}, options)


def pose_detector(options: Options) -> PoseDetector:
    """The detector of poses, as large as the generator."""
    networks = options.networks
    return built(PoseDetector(networks.generator_width, networks.generator_blocks), ["image"], options.data)


def unpaired_generator(options: Options) -> ResnetGenerator:
    """The generator."""
    networks = options.networks
    generator = ResnetGenerator(
        KEYS, networks.generator_width, networks.generator_blocks, networks.upsampling, halvings=HALVINGS
    )
    return built(generator, KEYS, options.data)


def generator_discriminator(options: Options) -> PyramidDiscriminator:
    """Its discriminator, of patches of single images; 26 x 26 of them in an image of 256 x 256."""
    networks, data = options.networks, options.data
    unpadded = 0 if min(data.height, data.width) >= UNPADDED else 1
    patches = functools.partial(PatchDiscriminator, margins=[1, 1, 1, unpadded, unpadded])
    discriminator = PyramidDiscriminator(["image"], networks.discriminator_width, networks.num_discriminators, patches)
    return built(discriminator, ["image"], data)
