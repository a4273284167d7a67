"""Options of the losses."""

import dataclasses

from tfwarpgan.errors import InputError
from tfwarpgan.options.option import option


@dataclasses.dataclass(frozen=True)
class LossOptions:
    """Weights of the losses; 0 removes a term and its computation."""

    lambda_adversarial: float = option(1.0, "Generator: weight of the adversarial loss.", minimum=0)
    adversarial: str = option(
        "least_squares",
        "Generator: the adversarial loss of both players.",
        choices=("least_squares", "cross_entropy"),
    )
    lambda_pixel: float = option(10.0, "Generator: weight of the L1 loss between images.", minimum=0)
    person_weight: float = option(
        1.0, "Generator: weight of the person's pixels in the L1 loss; background pixels weigh 1.", minimum=0
    )
    head_weight: float = option(
        0.0, "Generator: weight of the pixels of hat, hair, sunglasses and face; 0 uses --person_weight.", minimum=0
    )
    lambda_ssim: float = option(
        0.0, "Generator: weight of 1 - SSIM, whose pixels weigh as those of the L1 loss.", minimum=0
    )
    lambda_perceptual: float = option(
        10.0, "Generator: weight of the perceptual loss, L1 between VGG features.", minimum=0
    )
    judge_background: bool = option(
        True, "Generator: discriminator and perceptual network see its images' background, too; without, they see "
        "its person before the target image's background, and L1 and SSIM alone teach the background.",
    )  # fmt: skip
    lambda_neighbor: float = option(
        0.0, "Generator: weight of the nearest-neighbor loss of DSCF, between features of relu1_2.", minimum=0
    )
    neighbor_size: int = option(3, "Height and width of its neighborhood, an odd number.", minimum=1)
    lambda_divergence: float = option(
        1.0, "Generator of --model=aunet: weight that the divergence of its codes from their prior reaches after three "
        "quarters of the steps.", minimum=0,
    )  # fmt: skip
    lambda_pose: float = option(
        700.0, "Generator of --model=upis: weight of the poses that the detector sees in its images.", minimum=0
    )
    lambda_content: float = option(
        0.03, "Generator of --model=upis: weight of the content of the image that comes back.", minimum=0
    )
    lambda_style: float = option(1.0, "Generator of --model=upis: weight of the style round each joint.", minimum=0)
    content_layer: str = option(
        "block2_conv1", "What these two compare: a layer of VGG, or the image itself.",
        choices=("block2_conv1", "image"),
    )  # fmt: skip
    lambda_pyramid: float = option(10.0, "Generator: weight of the pyramidal-hierarchy loss.", minimum=0)
    parser_lambda_adversarial: float = option(
        1.0, "Pose-guided parser: weight of the least-squares adversarial loss.", minimum=0
    )
    parser_lambda_pyramid: float = option(
        10.0, "Pose-guided parser: weight of the pyramidal-hierarchy loss.", minimum=0
    )
    pyramid_alphas: tuple[float, ...] = option(
        (1.0, 1.0, 1.0),
        "Weights of the discriminator's feature maps 0, 1, 2 in the pyramidal-hierarchy loss.",
        minimum=0,
    )
    matcher_lambda_smooth: float = option(
        1.0, "Matcher: weight of the smoothness of the grid on real pairs.", minimum=0
    )
    parser_lambda_cross_entropy: float = option(1.0, "Pose-guided parser: pixel-wise cross-entropy.", minimum=0)
    matcher_lambda_image: float = option(
        0.0, "Matcher: L1 between the warped condition image and the target image, over the person.", minimum=0
    )
    perceptual_form: str = option(
        "plain",
        "Perceptual loss: plain, pix2pixHD's L1 at the scale of torchvision's features; relative, each layer divided "
        "by the mean of its features.",
        choices=("plain", "relative"),
    )
    perceptual_alphas: tuple[float, ...] = option(
        (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0), "Weights of the features relu1_1 to relu5_1; 0 leaves one out.", minimum=0
    )
    perceptual_convolution: int = option(
        1, "Convolution of each of the five blocks that the features are of: 2 for relu1_2 to relu5_2.", choices=(1, 2)
    )
    perceptual_network: str = option("VGG19", "Network of the perceptual loss.", choices=("VGG16", "VGG19"))
    perceptual_weights: str = option(
        "imagenet", "'imagenet' (downloaded by Keras), or an npz file of VGG convolution weights."
    )

    def __post_init__(self) -> None:
        if len(self.pyramid_alphas) != 3:
            raise InputError(f"--pyramid_alphas needs 3 numbers, got {len(self.pyramid_alphas)}.")
        if len(self.perceptual_alphas) != 5:
            raise InputError(f"--perceptual_alphas needs 5 numbers, got {len(self.perceptual_alphas)}.")
        if self.neighbor_size % 2 == 0:
            raise InputError(f"--neighbor_size={self.neighbor_size} must be odd.")
        pyramid = self.lambda_pyramid and any(self.pyramid_alphas)
        perceptual = self.lambda_perceptual and any(self.perceptual_alphas)
        others = self.lambda_adversarial or self.lambda_pixel or self.lambda_ssim or self.lambda_neighbor
        if not (others or perceptual or pyramid):
            raise InputError(
                "--lambda_adversarial, --lambda_pixel, --lambda_ssim, --lambda_neighbor, --lambda_perceptual with "
                "--perceptual_alphas and --lambda_pyramid with --pyramid_alphas leave the generator without a loss; "
                "give one of them a weight above 0."
            )
