"""The systems that can be trained: what --model may be."""

import dataclasses

# What a pipeline may take of a batch, beside the condition image and the target pose.
PARSING = ("condition_parsing",)
CONDITION_POSE = ("condition_keypoints", "condition_visible")


@dataclasses.dataclass(frozen=True)
class System:
    """One of them.

    Attributes:
        about: What it is, for the help.
        module: Its module in `models`, see `models.catalog`.
        stages: In the order of a run; the last one trains what makes the images.
        more_inputs: What its pipeline takes of a batch beside the condition image and the target pose.
        without: Flags of the weights of losses that it does not have.
    """

    about: str
    module: str
    stages: tuple[str, ...] = ("image_generator",)
    more_inputs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


SYSTEMS = {
    "warpgan": System(
        "two encoders and the soft-gated warping block", "build",
        ("pose_guided_parser", "geometric_matcher", "warping_generator"), PARSING,
    ),
    "resnet": System(
        "pix2pixHD's one encoder, no warp", "build", ("pose_guided_parser", "warping_generator"), PARSING
    ),
    "aunet": System(
        "the variational U-Net of Esser et al. 2018", "variational_unet", more_inputs=CONDITION_POSE,
        without=("lambda_adversarial", "lambda_pyramid"),
    ),
    "bodyroi7": System("codes of seven regions, of Ma et al. 2018", "body_roi", more_inputs=CONDITION_POSE),
    "dscf": System("the deformable skips of Siarohin et al. 2018", "deformable", more_inputs=CONDITION_POSE),
    "pg2": System("coarse, then refined, of Ma et al. 2017", "pg2", ("coarse_generator", "image_generator")),
    "pix2pix": System("the U-Net of Isola et al. 2017", "pix2pix"),
    "upis": System(
        "a reconstruction of Pumarola et al. 2018, which sees no target image", "upis",
        ("pose_detector", "unpaired_generator"),
        without=("lambda_pixel", "lambda_ssim", "lambda_perceptual", "lambda_neighbor", "lambda_pyramid"),
    ),
}  # fmt: skip
