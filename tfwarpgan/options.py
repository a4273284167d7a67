"""The options of the system: frozen dataclasses, of whose fields `flags` makes flags.

Library code takes these dataclasses and never reads a flag. This module does not import TensorFlow.
"""

import dataclasses
import re

from tfwarpgan.body.joints import required_joints
from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.errors import InputError

STAGES = ("human_parser", "pose_guided_parser", "geometric_matcher", "warping_generator")
WARP_SCALES = ("8", "4", "2", "1", "image")
RUN_FLAGFILE = "options.flags"
_BOX = r"-?[0-9]{1,5},-?[0-9]{1,5},[1-9][0-9]{0,4},[1-9][0-9]{0,4}"
_BOXES = (
    ("keypoint_frame", r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", "HEIGHTxWIDTH"),
    ("keypoint_crop", _BOX, "X,Y,WIDTH,HEIGHT"),
    ("picture_crop", _BOX.replace("-?", ""), "X,Y,WIDTH,HEIGHT"),
)


def option(default, help, *, minimum=None, maximum=None, choices=None):
    """A dataclass field that knows how to become a flag: its help, its bounds (inclusive) or its choices."""
    return dataclasses.field(
        default=default, metadata={"help": help, "minimum": minimum, "maximum": maximum, "choices": choices}
    )


@dataclasses.dataclass(frozen=True)
class DataOptions:
    """Where the pictures come from and how a training batch is drawn."""

    dataset: str = option(
        "people",
        "Data set: the shipped rendered people, or a folder in the named layout; folder: one sub-folder a person.",
        choices=("people", "market1501", "deepfashion", "lip", "folder"),
    )
    data_dir: str = option("", "Folder of the data set in its official layout; 'people' needs none.")
    parsing_dir: str = option("", "Folder of the parsing PNGs; empty: `parsing` inside --data_dir.")
    prepared_dir: str = option("~/.cache/tfwarpgan/prepared", "Folder where prepared data sets are kept.")
    label_mapping: str = option(
        "lip_20",
        "Labels of the parsings: lip_20, atr_18, cihp_20, adgan_8, or a list of one LIP label for each of theirs.",
    )
    keypoints: str = option("", "File or folder of the joints; empty: the annotation CSVs of the layout.")
    keypoint_format: str = option(
        "pose_gan",
        "Format of --keypoints: pose-gan's CSV, or JSON of OpenPose, COCO or MediaPipe, or NTED's text files.",
        choices=("pose_gan", "openpose", "coco_17", "mediapipe_33", "nted"),
    )
    keypoint_images: str = option("", "COCO results: JSON whose `images` name the pictures of their numbers.")
    keypoint_missing: str = option(
        "format",
        "A missing joint: as its format has it, -1 in a coordinate, or 0 in both.",
        choices=("format", "-1", "0"),
    )
    keypoint_score: float = option(
        -1.0,
        "Confidence that a joint must exceed; below 0: the format's own (mediapipe_33: 0.5, others: 0).",
        maximum=1,
    )
    keypoint_frame: str = option("", "HEIGHTxWIDTH of the frame of the joints, pixels; empty: their picture's.")
    keypoint_crop: str = option(
        "", "X,Y,WIDTH,HEIGHT of the part of the joints' frame that the pictures show; empty: all of it."
    )
    picture_crop: str = option(
        "", "X,Y,WIDTH,HEIGHT of the part to use of each picture; joints and parsings move along. Empty: all of it."
    )
    pair_source: str = option(
        "auto",
        "Pairs from lists, or by the rule: all that show both shoulders and hips; auto: lists, for folder the rule.",
        choices=("auto", "lists", "rule"),
    )
    train_pairs: str = option("", "List of the training pairs; empty: the layout's own.")
    test_pairs: str = option("", "List of the test pairs; empty: the layout's own.")
    pair_order: str = option(
        "header",
        "Order of the names in a list of pairs: its header from,to says it; or the condition (source) or target first.",
        choices=("header", "source_first", "target_first"),
    )
    duplicate_pairs: str = option("refuse", "What to do with a pair listed twice.", choices=("refuse", "keep"))
    max_train_pairs: int = option(0, "By rule: training pairs to draw; 0: all.", minimum=0)
    max_test_pairs: int = option(0, "By rule: test pairs to draw; 0: all.", minimum=0)
    test_share: float = option(
        0.1, "Share of the persons that become the test split where the data set has no split.", minimum=0, maximum=1
    )
    split_seed: int = option(0, "Seed of the split of persons and of drawn pairs.", minimum=0)
    lip_dir: str = option("", "Folder of the LIP data set, for the human parser.")
    lip_shares: str = option(
        "", "Of a LIP folder merged of several sets: the share of the training pictures whose names begin so, as "
        "street:0.7,shop:0.3; empty: all alike.",
    )  # fmt: skip
    lip_label_mapping: str = option("lip_20", "Labels of the maps in --lip_dir, as --label_mapping.")
    height: int = option(128, "Height of the pictures in pixels; a multiple of 16.", minimum=32, maximum=1024)
    width: int = option(64, "Width of the pictures in pixels; a multiple of 16.", minimum=32, maximum=1024)
    min_joints: int = option(0, "Pictures with fewer visible joints are left out.", minimum=0, maximum=18)
    required_joints: str = option(
        "", "Pictures on which one of these joints is missing are left out: names, as right_shoulder,left_shoulder."
    )
    min_foreground: float = option(
        0.0, "Pictures are left out if less than this share of their parsing is foreground.", minimum=0, maximum=1
    )
    batch_size: int = option(20, "Pairs in a batch, over all replicas.", minimum=1)
    flip: bool = option(False, "Mirror half of the pairs, left and right exchanged.")
    pose_map: str = option("disc", "How a joint is drawn.", choices=("disc", "gaussian"))
    pose_radius: float = option(4.0, "Radius in pixels of a joint's disc.", minimum=0.5)
    pose_sigma: float = option(6.0, "Standard deviation in pixels of a joint's Gaussian.", minimum=0.5)
    seed: int = option(0, "Seed of the weights and of the order of the pairs.", minimum=0, maximum=2**32 - 1)

    def __post_init__(self):
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

    def shares_of_lip(self):
        """`lip_shares` as a dictionary, beginning of a name -> share."""
        shares = {}
        for part in filter(None, self.lip_shares.split(",")):
            start, _, share = part.rpartition(":")
            if not start.strip() or not re.fullmatch(r"[0-9]*\.?[0-9]+", share.strip()) or not float(share):
                raise InputError(f"--lip_shares: '{part}' must be the beginning of names, a colon and a share above 0.")
            shares[start.strip()] = float(share)
        return shares


@dataclasses.dataclass(frozen=True)
class NetworkOptions:
    """The networks; the defaults are the paper's full size."""

    human_parser_backbone: str = option(
        "VGG16",
        "Backbone of the human parser, by its name in tf.keras.applications.",
        choices=("VGG16", "VGG19"),
    )
    human_parser_weights: str = option(
        "imagenet", "First weights of the backbone: 'imagenet', 'none' or an npz file of VGG convolution weights."
    )
    human_parser_width: int = option(128, "Channels of the human parser's decoder.", minimum=8)
    parser_width: int = option(64, "Channels of the pose-guided parser's first convolution.", minimum=4)
    parser_blocks: int = option(9, "Residual blocks of the pose-guided parser.", minimum=1)
    parser_uses_image: bool = option(False, "Give the condition image to the pose-guided parser too.")
    parser_average_flip: bool = option(
        False, "Average the synthesized parsing with that of the mirrored inputs: better, at twice stage I's time."
    )
    matcher_width: int = option(64, "Channels of the geometric matcher's first convolution.", minimum=4)
    matcher_scale: int = option(
        16, "Scale of the matcher's features: 1/16, 1/8 or 1/4 of the picture.", choices=(4, 8, 16)
    )
    matcher_control_points: int = option(3, "Control points of the thin-plate spline a side.", choices=(3, 5))
    generator_width: int = option(64, "Channels of the warping generator's first convolution.", minimum=4)
    generator_blocks: int = option(9, "Residual blocks of the warping generator.", minimum=1)
    fusion_width: int = option(
        0, "Channels after the two encodings are joined; 0 keeps their sum, 16 x --generator_width.", minimum=0
    )
    warp_residual: str = option("conv", "R of the warping block, equation 1.", choices=("conv", "identity"))
    warp_gate: str = option("spatial", "Gate of the warping block.", choices=("spatial", "channel", "scalar", "none"))
    warp_scales: str = option(
        "8",
        "Where the warping block is injected: 8, the bottleneck (the paper's one block), then 4, 2 and 1, the scales "
        "of the decoder, and image, which offers the warped condition image to the result; as 8,4,2,1,image.",
    )
    warp_parts: int = option(
        1, "Parts of the person with a warp each, chosen by the target parsing; 1: the paper's.", choices=(1, 4, 8)
    )
    decorrelated_colours: bool = option(
        False, "Show the warping generator the condition's colours along their principal axes: hue is learned sooner."
    )
    upsampling: str = option(
        "transposed",
        "Decoder: transposed convolutions, or nearest resizing and a convolution.",
        choices=("transposed", "resize"),
    )
    discriminator_width: int = option(64, "Channels of the discriminators' first convolution.", minimum=4)
    num_discriminators: int = option(
        1, "Discriminators of each stage, each at half the scale before.", minimum=1, maximum=3
    )

    def __post_init__(self):
        if self.fusion_width % 8:
            raise InputError(
                f"--fusion_width={self.fusion_width} must be a multiple of 8; the decoder halves it thrice."
            )
        self.scales_of_warp()

    def scales_of_warp(self):
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

    lambda_adversarial: float = option(1.0, "Generator: least-squares adversarial loss.", minimum=0)
    lambda_pixel: float = option(10.0, "Generator: L1 between pictures.", minimum=0)
    person_weight: float = option(
        1.0, "Weight of the person's pixels in the pixel loss, where the background's have 1.", minimum=0
    )
    lambda_perceptual: float = option(10.0, "Generator: L1 between VGG features.", minimum=0)
    lambda_pyramid: float = option(10.0, "Generator: pyramidal-hierarchy loss.", minimum=0)
    parser_lambda_adversarial: float = option(1.0, "Pose-guided parser: least-squares adversarial loss.", minimum=0)
    parser_lambda_pyramid: float = option(10.0, "Pose-guided parser: pyramidal-hierarchy loss.", minimum=0)
    pyramid_alphas: tuple = option((1.0, 1.0, 1.0), "Weights of the discriminator's feature maps 0, 1, 2.", minimum=0)
    parser_lambda_cross_entropy: float = option(1.0, "Pose-guided parser: pixel-wise cross-entropy.", minimum=0)
    matcher_lambda_smooth: float = option(1.0, "Matcher: smoothness of the grid on real pairs.", minimum=0)
    matcher_lambda_parts: float = option(
        0.3, "Matcher: mean squared distance of the parts' grids from their mean on real pairs.", minimum=0
    )
    matcher_lambda_image: float = option(
        0.0, "Matcher: L1 between the warped condition image and the target image, over the person.", minimum=0
    )
    perceptual_form: str = option(
        "plain",
        "Perceptual loss: plain, pix2pixHD's L1 at the scale of torchvision's features; relative, each layer divided "
        "by the mean of its features.",
        choices=("plain", "relative"),
    )
    perceptual_alphas: tuple = option(
        (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0), "Weights of the features relu1_1 to relu5_1; 0 leaves one out.", minimum=0
    )
    perceptual_network: str = option("VGG19", "Network of the perceptual loss.", choices=("VGG16", "VGG19"))
    perceptual_weights: str = option(
        "imagenet", "'imagenet' (fetched by tf.keras.applications), or an npz file of VGG convolution weights."
    )

    def __post_init__(self):
        if len(self.pyramid_alphas) != 3:
            raise InputError(f"--pyramid_alphas needs 3 numbers, got {len(self.pyramid_alphas)}.")
        if len(self.perceptual_alphas) != 5:
            raise InputError(f"--perceptual_alphas needs 5 numbers, got {len(self.perceptual_alphas)}.")
        pyramid = self.lambda_pyramid and any(self.pyramid_alphas)
        perceptual = self.lambda_perceptual and any(self.perceptual_alphas)
        if not (self.lambda_adversarial or self.lambda_pixel or perceptual or pyramid):
            raise InputError(
                "--lambda_adversarial, --lambda_pixel, --lambda_perceptual with --perceptual_alphas and "
                "--lambda_pyramid with --pyramid_alphas leave the generator no loss; give one of them a weight above 0."
            )


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The course of a run."""

    run_dir: str = option("", "Folder of the run: options, checkpoints, TensorBoard events.")
    stage: str = option(
        "all", "Stage to train; 'all' is every stage but the human parser, in order.", choices=("all", *STAGES)
    )
    human_parser_steps: int = option(60000, "Steps of the human parser.", minimum=1)
    parser_steps: int = option(100000, "Steps of the pose-guided parser.", minimum=1)
    matcher_pretraining_steps: int = option(20000, "Steps of the matcher on random warps.", minimum=0)
    matcher_steps: int = option(40000, "Steps of the matcher in all, those on random warps counted in.", minimum=1)
    generator_steps: int = option(200000, "Steps of the warping generator.", minimum=1)
    learning_rate: float = option(2e-4, "Adam's learning rate.", minimum=0)
    discriminator_learning_rate: float = option(
        0.0, "That of the discriminators; 0: the same. A lower one keeps them from winning early.", minimum=0
    )
    beta_1: float = option(0.5, "Adam's first decay.", minimum=0, maximum=0.9999)
    beta_2: float = option(0.999, "Adam's second decay.", minimum=0, maximum=0.9999)
    decay_from: float = option(
        1.0,
        "Share of a stage's steps after which the learning rate falls linearly to 0; 1: never.",
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
        "Target parsing that the generator gets; ground_truth is the upper bound, for study only.",
        choices=("synthesized", "ground_truth"),
    )
    precision: str = option(
        "float32", "Keras' mixed precision policy.", choices=("float32", "mixed_bfloat16", "mixed_float16")
    )
    jit_compile: bool = option(False, "Compile the train step with XLA (one replica only).")
    log_every: int = option(100, "Steps between two points of the scalars.", minimum=1)
    pictures_every: int = option(1000, "Steps between two picture grids, and the human parser's scores.", minimum=1)
    checkpoint_every: int = option(1000, "Steps between two checkpoints.", minimum=1)
    keep_checkpoints: int = option(2, "Checkpoints kept a stage.", minimum=1)
    profile_steps: str = option("", "First and last step to profile, as a,b; empty: none.")

    def __post_init__(self):
        if self.matcher_pretraining_steps > self.matcher_steps:
            raise InputError(
                f"--matcher_pretraining_steps={self.matcher_pretraining_steps} must not exceed "
                f"--matcher_steps={self.matcher_steps}."
            )
        if self.profile_steps:
            steps = re.fullmatch(r"([0-9]+),([0-9]+)", self.profile_steps)
            if not steps or not 1 <= int(steps[1]) <= int(steps[2]):
                raise InputError(f"--profile_steps={self.profile_steps} must be two steps a,b with 1 <= a <= b.")

    def steps_of(self, stage):
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


def check_data_place(data_options):
    """Refuses options that do not say where the data set lies, or say it where nothing can lie.

    Args:
        data_options: `DataOptions`.

    Raises:
        InputError: Naming the flag that is missing or too many.
    """
    if data_options.dataset == "people" and data_options.data_dir:
        raise InputError("--dataset=people is shipped and needs no --data_dir; for a folder say --dataset=market1501.")
    if data_options.dataset == "lip" and not (data_options.data_dir or data_options.lip_dir):
        raise InputError("--dataset=lip needs --lip_dir, the folder of the data set.")
    if data_options.dataset not in ("people", "lip") and not data_options.data_dir:
        raise InputError(f"--dataset={data_options.dataset} needs --data_dir, the folder of the data set.")


def check_places(options):
    """As `check_data_place`, for a training, which needs a place for its run too.

    Args:
        options: `Options`.

    Raises:
        InputError: Naming the flag that is missing or too many.
    """
    if not options.train.run_dir:
        raise InputError("--run_dir is missing: name the folder of the run.")
    if options.train.stage == "human_parser":
        if not (options.data.lip_dir or options.data.dataset == "lip" and options.data.data_dir):
            raise InputError("--stage=human_parser needs --lip_dir, the folder of the LIP data set.")
    elif options.data.dataset == "lip":
        raise InputError("--dataset=lip holds no pairs and trains --stage=human_parser only; name another --dataset.")
    else:
        check_data_place(options.data)
