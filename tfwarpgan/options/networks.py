"""Options of the networks."""

import dataclasses

from tfwarpgan.errors import InputError
from tfwarpgan.options.option import option
from tfwarpgan.options.systems import PARSING, SYSTEMS

WARP_SCALES = ("8", "4", "2", "1", "image")
# What is done with the outputs of trained networks; no weight depends on it.
FINISHING = (
    "parser_average_flip", "generator_average_flip", "generator_average_shifts", "generator_sharpening",
    "generator_color_transfer",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """The networks; the defaults are the paper's full size."""

    human_parser_backbone: str = option(
        "VGG16",
        "Backbone of the human parser: a network of tf.keras.applications, or a small one that starts from random "
        "weights.",
        choices=("VGG16", "VGG19", "small"),
    )
    human_parser_weights: str = option(
        "imagenet",
        "Initial weights of the backbone, if that is a VGG: 'imagenet', 'none', or an npz file of VGG convolution "
        "weights.",
    )
    human_parser_width: int = option(128, "Channels of the decoder of the human parser.", minimum=8)
    parser_width: int = option(64, "Channels of the first convolution of the pose-guided parser.", minimum=4)
    parser_blocks: int = option(9, "Residual blocks of the pose-guided parser.", minimum=1)
    parser_uses_image: bool = option(False, "Feed the condition image to the pose-guided parser too.")
    parser_average_flip: bool = option(
        False,
        "Average the synthesized parsing with that of the mirrored inputs, once they are trained: better, at twice "
        "stage I's time.",
    )
    generator_average_flip: bool = option(
        False, "Average the image of warpgan and resnet with that of the mirrored inputs, once they are trained: "
        "nearer to the target and a little softer, at twice the generator's time.",
    )  # fmt: skip
    generator_average_shifts: int = option(
        1, "Average the image of warpgan and resnet over as many targets, moved by up to 3 pixels, once they are "
        "trained: without the decoder's grain, at as many times the generator's time and memory.", choices=(1, 2, 4),
    )  # fmt: skip
    generator_sharpening: float = option(
        0.0, "Share of its detail (unsharp masking) that is added to the image of warpgan and resnet, once they are "
        "trained: in full on garments, two thirds elsewhere.", minimum=0,
    )  # fmt: skip
    generator_color_transfer: bool = option(
        False, "Move the mean color of each part of the person in the image of warpgan and resnet towards that in the "
        "condition image, once they are trained.",
    )  # fmt: skip
    matcher_width: int = option(64, "Channels of the first convolution of the geometric matcher.", minimum=4)
    matcher_scale: int = option(
        16, "Downscaling of the matcher's features: 16 means 1/16 of the image size.", choices=(4, 8, 16)
    )
    matcher_control_points: int = option(3, "Control points of the thin-plate spline per side.", choices=(3, 5))
    model: str = option(
        "warpgan",
        f"System: {'; '.join(f'{name}, {system.about}' for name, system in SYSTEMS.items())}.",
        choices=tuple(SYSTEMS),
    )
    generator_inputs: str = option(
        "all",
        "What --model=resnet sees: all, the condition image, both parsings and the target pose; image,pose, neither "
        "parsing, and then no pose-guided parser is trained.",
        choices=("all", "image,pose"),
    )
    generator_width: int = option(64, "Channels of the first convolution of the generator.", minimum=4)
    generator_blocks: int = option(9, "Residual blocks of the warping generator.", minimum=1)
    fusion_width: int = option(
        0, "Channels of the residual blocks; 0 keeps those of both encoders, 16 x --generator_width.", minimum=0
    )
    warp: str = option(
        "matched",
        "Warp of --model=warpgan: matched, the matcher's; identity, which moves nothing: the warping blocks are gated "
        "skip connections; none, no warping block at all. No matcher is trained for the last two.",
        choices=("matched", "identity", "none"),
    )
    warp_residual: str = option(
        "conv",
        "Residual branch R of the warping block (equation 1): two convolutions or the identity.",
        choices=("conv", "identity"),
    )
    warp_gate: str = option(
        "spatial",
        "Gate of the warping block: one value per position, per channel or per image, or no gate.",
        choices=("spatial", "channel", "scalar", "none"),
    )
    warp_scales: str = option(
        "8",
        "Where the warping block is injected: 8, the bottleneck (the paper's one block), then 4, 2 and 1, the scales "
        "of the decoder, and image, which offers the warped condition image to the result; as 8,4,2,1,image.",
    )
    warp_parts: int = option(
        1,
        "Parts of the person that are warped on their own: 6 gives the head, each arm and each leg a warp besides the "
        "person's; 1: one warp for all.",
        choices=(1, 6),
    )
    decorrelated_colors: bool = option(
        False, "Feed the generator decorrelated color channels; it learns hue faster.", former="decorrelated_colours"
    )
    upsampling: str = option(
        "transposed",
        "Decoder: transposed convolutions, or nearest-neighbor resizing followed by a convolution.",
        choices=("transposed", "resize"),
    )
    discriminator_width: int = option(64, "Channels of the first convolution of the discriminators.", minimum=4)
    num_discriminators: int = option(
        1, "Discriminators per stage, each at half the scale of the one before.", minimum=1, maximum=3
    )

    def __post_init__(self) -> None:
        if self.fusion_width % 8:
            raise InputError(
                f"--fusion_width={self.fusion_width} must be a multiple of 8; the decoder halves it three times."
            )
        self.scales_of_warp()
        if self.generator_inputs != "all" and self.model != "resnet":
            raise InputError(f"--generator_inputs={self.generator_inputs} needs --model=resnet.")
        for name in ("generator_color_transfer", "generator_sharpening"):
            if getattr(self, name) and self.generator_inputs != "all":
                raise InputError(
                    f"--{name} needs the parsings, which --generator_inputs=image,pose leaves out: switch one of them "
                    "off."
                )

    def check_served(self, own: "NetworkOptions") -> None:
        """Refuses a flag of `FINISHING` where a server draws, whose networks finish images as exported.

        Args:
            own: The options without what the command line says.

        Raises:
            InputError: Naming the flag.
        """
        for name, value in own.finishing.items():
            if self.finishing[name] != value:
                raise InputError(f"--{name} has no effect beside --server: say it to export; leave it out here.")

    @property
    def finishing(self) -> dict[str, bool | int | float]:
        """The flags of `FINISHING`: name -> value."""
        return {name: getattr(self, name) for name in FINISHING}

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the pipeline takes of a batch."""
        more = [
            key for key in SYSTEMS[self.model].more_inputs if not (key in PARSING and self.generator_inputs != "all")
        ]
        return ("condition_image", *more, "target_keypoints", "target_visible")

    @property
    def generator_keys(self) -> tuple[str, ...]:
        """The inputs of the generator of warpgan and resnet: names of what `WarpingGAN.conditions` gives."""
        parsings = () if self.generator_inputs == "image,pose" else ("condition_parsing", "target_parsing")
        grid = ("grid",) if self.model == "warpgan" and self.warp != "none" else ()
        return ("condition_image", *parsings, "target_pose", *grid)

    def scales_of_warp(self) -> tuple[str, ...]:
        """`warp_scales` as a tuple of names."""
        scales = tuple(name.strip() for name in self.warp_scales.split(","))
        unknown = [name for name in scales if name not in WARP_SCALES]
        if unknown or len(set(scales)) < len(scales) or "8" not in scales:
            raise InputError(
                f"--warp_scales={self.warp_scales} must name 8 and any of {', '.join(WARP_SCALES[1:])}, each once."
            )
        return scales
