"""The options of the system: frozen dataclasses, of whose fields `flags` makes flags.

Library code takes these dataclasses and never reads a flag. This module does not import TensorFlow.
"""

import dataclasses
import re
from typing import Any, TypeVar

from tfwarpgan.body.joints import required_joints
from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.errors import InputError

T = TypeVar("T")

STAGES = ("human_parser", "pose_guided_parser", "geometric_matcher", "warping_generator")
# What happens to an image of another shape than the model's; the first is the default.
PICTURE_FITS = {
    "crop": "keeps the full height and cuts or adds columns at both sides",
    "pad": "keeps all of the image and adds rows or columns at both sides",
    "stretch": "squeezes the image",
}
WARP_SCALES = ("8", "4", "2", "1", "image")
RUN_FLAGFILE = "options.flags"
_BOX = r"-?[0-9]{1,5},-?[0-9]{1,5},[1-9][0-9]{0,4},[1-9][0-9]{0,4}"
_BOXES = (
    ("keypoint_frame", r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", "HEIGHTxWIDTH"),
    ("keypoint_crop", _BOX, "X,Y,WIDTH,HEIGHT"),
    ("picture_crop", _BOX.replace("-?", ""), "X,Y,WIDTH,HEIGHT"),
)


def option(
    default: T,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[Any, ...] | None = None,
    former: str = "",
) -> T:
    """A dataclass field that knows how to become a flag.

    Args:
        default: Its value where none is given.
        help: One sentence about it.
        minimum: The least number, inclusive; None: any.
        maximum: The greatest number, inclusive; None: any.
        choices: What it may be; None: anything.
        former: A name that it had before, which old flagfiles and command lines may still give it.
    """
    bounds = {"minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata={"help": help, **bounds, "former": former})


@dataclasses.dataclass(frozen=True)
class DatasetOptions:
    """The data set."""

    dataset: str = option(
        "people",
        "Data set: the bundled rendered people, or the layout of --data_dir; 'folder' has one subfolder per person.",
        choices=("people", "market1501", "deepfashion", "lip", "folder"),
    )
    data_dir: str = option("", "Folder of the data set; 'people' needs none.")
    parsing_dir: str = option("", "Folder of the label maps (PNG); default: 'parsing' in --data_dir.")
    prepared_dir: str = option("~/.cache/tfwarpgan/prepared", "Folder for prepared data sets.")
    label_mapping: str = option(
        "lip_20",
        "Labels of the label maps: lip_20, atr_18, cihp_20, adgan_8, or a list with one LIP label for each of them.",
    )
    ignore_label: int = option(
        -1, "Label of the label maps that marks pixels without a label, such as 255; they become background.",
        minimum=-1, maximum=255,
    )  # fmt: skip
    follow_links: bool = option(
        False, "Follow links that lead out of the data folders, as those of DVC, git-annex and download caches do."
    )


@dataclasses.dataclass(frozen=True)
class JointOptions:
    """The joints."""

    keypoints: str = option("", "File or folder with the joints; default: the annotation CSV files of the layout.")
    keypoint_format: str = option(
        "pose_gan",
        "Format of --keypoints: CSV of pose-gan, JSON of OpenPose, COCO, MediaPipe, mmpose or YOLO-pose, or text files "
        "of NTED or YOLO-pose.",
        choices=("pose_gan", "openpose", "coco_17", "mediapipe_33", "mmpose", "yolo_pose", "nted"),
    )
    keypoint_images: str = option("", "For COCO results: JSON file whose 'images' map image numbers to file names.")
    keypoint_missing: str = option(
        "format",
        "Mark of a missing joint: that of the format, -1 in either coordinate, or 0 in both.",
        choices=("format", "-1", "0"),
    )
    keypoint_score: float = option(
        -1.0,
        "Confidence that a joint must exceed; below 0, that of the format: mediapipe_33 and yolo_pose 0.5, mmpose 0.3, "
        "others 0.",
        maximum=1,
    )
    keypoint_scale: int = option(
        0, "Scale of the joints, as OpenPose counts them: 0, pixels; 3, from 0 to 1; 4, from -1 to 1.",
        choices=(0, 3, 4),
    )  # fmt: skip
    keypoint_frame: str = option(
        "", "Frame that the joints were detected in, HEIGHTxWIDTH in pixels; default: that of their image."
    )
    keypoint_crop: str = option(
        "", "Part of the joints' frame that the images show, X,Y,WIDTH,HEIGHT; default: all of it."
    )
    picture_crop: str = option(
        "",
        "Part of each image to use, X,Y,WIDTH,HEIGHT; joints and label maps are cropped too. Default: all of it.",
    )
    picture_fit: str = option(
        "crop",
        "Images of another shape than --height and --width: " + ", ".join(map(" ".join, PICTURE_FITS.items())) + ".",
        choices=tuple(PICTURE_FITS),
    )


@dataclasses.dataclass(frozen=True)
class PairOptions:
    """The pairs."""

    pair_source: str = option(
        "auto",
        "Pairs from lists, or by the rule: both images show shoulders and hips. auto: rule for 'folder', else lists.",
        choices=("auto", "lists", "rule"),
    )
    train_pairs: str = option("", "List of the training pairs; default: that of the layout.")
    test_pairs: str = option("", "List of the test pairs; default: that of the layout.")
    pair_order: str = option(
        "header",
        "Order of the names in pair lists: as in the header from,to; without one, condition (source) or target first.",
        choices=("header", "source_first", "target_first"),
    )
    duplicate_pairs: str = option("refuse", "What to do with duplicate pairs.", choices=("refuse", "keep"))
    self_pairs: str = option("refuse", "What to do with pairs of an image with itself.", choices=("refuse", "keep"))
    max_train_pairs: int = option(0, "Number of training pairs to draw by the rule; 0 takes all.", minimum=0)
    max_test_pairs: int = option(0, "Number of test pairs to draw by the rule; 0 takes all.", minimum=0)
    test_share: float = option(
        0.1,
        "Share of the persons for the test split, if the data set has no split of its own; 1: no training.",
        minimum=0,
        maximum=1,
    )
    split_seed: int = option(0, "Seed of the random split and of the drawn pairs.", minimum=0)


@dataclasses.dataclass(frozen=True)
class LipOptions:
    """The LIP data set of the human parser."""

    lip_dir: str = option("", "Folder of the LIP data set, for the human parser.")
    lip_label_mapping: str = option("lip_20", "Like --label_mapping, for the label maps in --lip_dir.")


@dataclasses.dataclass(frozen=True)
class SizeOptions:
    """The size of the images."""

    height: int = option(128, "Height of the images in pixels; a multiple of 16.", minimum=32, maximum=1024)
    width: int = option(64, "Width of the images in pixels; a multiple of 16.", minimum=32, maximum=1024)


@dataclasses.dataclass(frozen=True)
class FilterOptions:
    """The filter of failed images."""

    min_joints: int = option(0, "Leave out images with fewer visible joints.", minimum=0, maximum=18)
    required_joints: str = option(
        "", "Leave out images in which one of these joints is missing, such as right_shoulder,left_shoulder."
    )
    min_foreground: float = option(
        0.0, "Leave out images if less than this share of their label map is foreground.", minimum=0, maximum=1
    )
    max_stray_joints_image: float = option(
        1.0,
        "Leave out images if more than this share of their visible joints lies on background.",
        minimum=0,
        maximum=1,
    )
    max_stray_joints: float = option(
        0.3, "Refuse a data set if more than this share of its visible joints lies on background; 1 takes any.",
        minimum=0, maximum=1,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class BatchOptions:
    """What a batch is and how a pose is drawn."""

    batch_size: int = option(20, "Pairs per batch, in total over all GPUs.", minimum=1)
    lip_shares: str = option(
        "", "For a LIP folder merged from several sets: shares of the training images by the start of their names, "
        "such as street:0.7,shop:0.3; default: all images are equally likely.",
    )  # fmt: skip
    flip: bool = option(False, "Mirror half of the pairs at random, and swap left and right limbs.")
    pose_map: str = option("disc", "Shape of a joint in the pose map.", choices=("disc", "gaussian"))
    pose_radius: float = option(4.0, "Radius of the disc of a joint, in pixels.", minimum=0.5)
    pose_sigma: float = option(6.0, "Standard deviation of the Gaussian of a joint, in pixels.", minimum=0.5)
    seed: int = option(0, "Seed of the initial weights and of the order of the pairs.", minimum=0, maximum=2**32 - 1)


@dataclasses.dataclass(frozen=True)
class DataOptions(  # the fields of the last come first
    BatchOptions, FilterOptions, SizeOptions, LipOptions, PairOptions, JointOptions, DatasetOptions
):
    """Where the images come from and how a training batch is drawn."""

    def __post_init__(self) -> None:
        if self.height % 16 or self.width % 16:
            raise InputError(f"--height={self.height} and --width={self.width} must be multiples of 16.")
        if self.keypoint_format != "pose_gan" and not self.keypoints:
            raise InputError(
                f"--keypoint_format={self.keypoint_format} needs --keypoints, the file or folder of joints."
            )
        for name, pattern, form in _BOXES:
            if getattr(self, name) and not re.fullmatch(pattern, getattr(self, name)):
                raise InputError(f"--{name}={getattr(self, name)} must be {form}, whole numbers of pixels.")
        for name in ("label_mapping", "lip_label_mapping"):
            to_lip(getattr(self, name), name)
        required_joints(self.required_joints)
        if self.shares_of_lip() and self.dataset == "lip":
            raise InputError("--lip_shares draws from the files of --lip_dir, not from --dataset=lip; leave one out.")

    def shares_of_lip(self) -> dict[str, float]:
        """`lip_shares` as a dictionary, beginning of a name -> share."""
        shares = {}
        for part in filter(None, self.lip_shares.split(",")):
            start, _, share = part.rpartition(":")
            if not start.strip() or not re.fullmatch(r"[0-9]*\.?[0-9]+", share.strip()) or not float(share):
                raise InputError(f"--lip_shares: '{part}' must be the start of a name, a colon and a share above 0.")
            shares[start.strip()] = float(share)
        return shares


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """The networks; the defaults are the paper's full size."""

    human_parser_backbone: str = option(
        "VGG16",
        "Backbone of the human parser, a network of tf.keras.applications.",
        choices=("VGG16", "VGG19"),
    )
    human_parser_weights: str = option(
        "imagenet", "Initial weights of the backbone: 'imagenet', 'none', or an npz file of VGG convolution weights."
    )
    human_parser_width: int = option(128, "Channels of the decoder of the human parser.", minimum=8)
    parser_width: int = option(64, "Channels of the first convolution of the pose-guided parser.", minimum=4)
    parser_blocks: int = option(9, "Residual blocks of the pose-guided parser.", minimum=1)
    parser_uses_image: bool = option(False, "Feed the condition image to the pose-guided parser too.")
    parser_average_flip: bool = option(
        False, "Average the synthesized parsing with that of the mirrored inputs: better, at twice stage I's time."
    )
    matcher_width: int = option(64, "Channels of the first convolution of the geometric matcher.", minimum=4)
    matcher_scale: int = option(
        16, "Downscaling of the matcher's features: 16 means 1/16 of the image size.", choices=(4, 8, 16)
    )
    matcher_control_points: int = option(3, "Control points of the thin-plate spline per side.", choices=(3, 5))
    generator_width: int = option(64, "Channels of the first convolution of the warping generator.", minimum=4)
    generator_blocks: int = option(9, "Residual blocks of the warping generator.", minimum=1)
    fusion_width: int = option(
        0, "Channels of the residual blocks; 0 keeps those of both encoders, 16 x --generator_width.", minimum=0
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

    def scales_of_warp(self) -> tuple[str, ...]:
        """`warp_scales` as a tuple of names."""
        scales = tuple(name.strip() for name in self.warp_scales.split(","))
        unknown = [name for name in scales if name not in WARP_SCALES]
        if unknown or len(set(scales)) < len(scales) or "8" not in scales:
            raise InputError(
                f"--warp_scales={self.warp_scales} must name 8 and any of {', '.join(WARP_SCALES[1:])}, each once."
            )
        return scales


@dataclasses.dataclass(frozen=True)
class LossOptions:
    """Weights of the losses; 0 removes a term and its computation."""

    lambda_adversarial: float = option(1.0, "Generator: weight of the least-squares adversarial loss.", minimum=0)
    lambda_pixel: float = option(10.0, "Generator: weight of the L1 loss between images.", minimum=0)
    person_weight: float = option(
        1.0, "Generator: weight of the person's pixels in the L1 loss; background pixels weigh 1.", minimum=0
    )
    head_weight: float = option(
        0.0, "Generator: weight of the pixels of hat, hair, sunglasses and face; 0 uses --person_weight.", minimum=0
    )
    lambda_perceptual: float = option(
        10.0, "Generator: weight of the perceptual loss, L1 between VGG features.", minimum=0
    )
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
    perceptual_network: str = option("VGG19", "Network of the perceptual loss.", choices=("VGG16", "VGG19"))
    perceptual_weights: str = option(
        "imagenet", "'imagenet' (downloaded by Keras), or an npz file of VGG convolution weights."
    )

    def __post_init__(self) -> None:
        if len(self.pyramid_alphas) != 3:
            raise InputError(f"--pyramid_alphas needs 3 numbers, got {len(self.pyramid_alphas)}.")
        if len(self.perceptual_alphas) != 5:
            raise InputError(f"--perceptual_alphas needs 5 numbers, got {len(self.perceptual_alphas)}.")
        pyramid = self.lambda_pyramid and any(self.pyramid_alphas)
        perceptual = self.lambda_perceptual and any(self.perceptual_alphas)
        if not (self.lambda_adversarial or self.lambda_pixel or perceptual or pyramid):
            raise InputError(
                "--lambda_adversarial, --lambda_pixel, --lambda_perceptual with --perceptual_alphas and "
                "--lambda_pyramid with --pyramid_alphas leave the generator without a loss; give one of them a weight "
                "above 0."
            )


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The course of a run."""

    run_dir: str = option("", "Folder of the run, with its options, checkpoints and TensorBoard logs.")
    stage: str = option(
        "all", "Stage to train; 'all' trains every stage except the human parser, in order.", choices=("all", *STAGES)
    )
    human_parser_steps: int = option(60000, "Training steps of the human parser.", minimum=1)
    parser_steps: int = option(100000, "Training steps of the pose-guided parser.", minimum=1)
    matcher_pretraining_steps: int = option(20000, "Training steps of the matcher on random warps.", minimum=0)
    matcher_steps: int = option(40000, "Training steps of the matcher, including those on random warps.", minimum=1)
    generator_steps: int = option(200000, "Training steps of the warping generator.", minimum=1)
    learning_rate: float = option(2e-4, "Learning rate of Adam.", minimum=0)
    discriminator_learning_rate: float = option(
        0.0,
        "Learning rate of the discriminators; 0 uses --learning_rate. A lower one keeps them from winning early.",
        minimum=0,
    )
    beta_1: float = option(0.5, "Decay rate of Adam's first moment.", minimum=0, maximum=0.9999)
    beta_2: float = option(0.999, "Decay rate of Adam's second moment.", minimum=0, maximum=0.9999)
    decay_from: float = option(
        1.0,
        "Share of a stage's steps after which the learning rate decays linearly to 0; 1 means never.",
        minimum=0,
        maximum=1,
    )
    ema: float = option(
        0.0,
        "Decay of a running mean of the trained network's weights, such as 0.999, which evaluate, export and later "
        "stages then use; 0: none.",
        minimum=0,
        maximum=0.99999,
    )
    parsing_source: str = option(
        "synthesized",
        "Target parsing for the generator: the pose-guided parser's, or the true one, as an upper bound for studies.",
        choices=("synthesized", "ground_truth"),
    )
    precision: str = option(
        "float32",
        "Precision policy of Keras; auto: mixed_bfloat16 where the GPU or the processor computes with it.",
        choices=("float32", "mixed_bfloat16", "mixed_float16", "auto"),
    )
    jit_compile: bool = option(False, "Compile the training step with XLA (one device only).")
    log_every: int = option(100, "Steps between two log entries.", minimum=1)
    pictures_every: int = option(1000, "Steps between two image grids (and two scores of the human parser).", minimum=1)
    checkpoint_every: int = option(1000, "Steps between two checkpoints.", minimum=1)
    keep_checkpoints: int = option(2, "Checkpoints to keep per stage.", minimum=1)
    profile_steps: str = option("", "First and last step to profile, such as 100,110; default: none.")

    def __post_init__(self) -> None:
        if self.matcher_pretraining_steps > self.matcher_steps:
            raise InputError(
                f"--matcher_pretraining_steps={self.matcher_pretraining_steps} must not exceed "
                f"--matcher_steps={self.matcher_steps}."
            )
        if self.profile_steps:
            steps = re.fullmatch(r"([0-9]+),([0-9]+)", self.profile_steps)
            if not steps or not 1 <= int(steps[1]) <= int(steps[2]):
                raise InputError(f"--profile_steps={self.profile_steps} must be two steps a,b with 1 <= a <= b.")

    def steps_of(self, stage: str) -> int:
        """Steps of a stage in a run of these options."""
        return {
            "human_parser": self.human_parser_steps,
            "pose_guided_parser": self.parser_steps,
            "geometric_matcher": self.matcher_steps,
            "warping_generator": self.generator_steps,
        }[stage]


@dataclasses.dataclass(frozen=True)
class Options:
    """All that a run depends on."""

    data: DataOptions = DataOptions()
    networks: NetworkOptions = NetworkOptions()
    losses: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()


# Parts of `Options`, in the order in which --help lists them: those that say what a data set holds, and all.
DATA_SET = (DatasetOptions, PairOptions, JointOptions, FilterOptions, LipOptions)
PARTS = (TrainOptions, DatasetOptions, SizeOptions, BatchOptions, LossOptions, NetworkOptions, *DATA_SET[1:])


def check_data_place(data_options: DataOptions) -> None:
    """Refuses options that do not say where the data set is, or that say so for a data set that needs no folder.

    Args:
        data_options: `DataOptions`.

    Raises:
        InputError: Naming the flag that is missing or must be left out.
    """
    if data_options.dataset == "people" and data_options.data_dir:
        raise InputError(
            "--dataset=people takes no --data_dir; for your own data, set --dataset, such as --dataset=market1501."
        )
    if data_options.dataset == "lip" and not (data_options.data_dir or data_options.lip_dir):
        raise InputError("--dataset=lip needs --lip_dir, the folder of the data set.")
    if data_options.dataset not in ("people", "lip") and not data_options.data_dir:
        raise InputError(f"--dataset={data_options.dataset} needs --data_dir, the folder of the data set.")


def check_places(options: Options) -> None:
    """Refuses a training that does not say where its run goes, or whose stage and data set do not fit.

    Args:
        options: `Options`.

    Raises:
        InputError: Naming the flag that is missing or must be left out.
    """
    if not options.train.run_dir:
        raise InputError("--run_dir is missing: name the folder of the run.")
    if options.train.stage == "human_parser":
        if not (options.data.lip_dir or options.data.dataset == "lip" and options.data.data_dir):
            raise InputError("--stage=human_parser needs --lip_dir, the folder of the LIP data set.")
    elif options.data.dataset == "lip":
        raise InputError("--dataset=lip has no pairs and only trains --stage=human_parser; choose another --dataset.")
