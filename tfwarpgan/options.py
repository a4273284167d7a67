"""The options of the system, and the command-line flags that are derived from them.

Every option is a field of a frozen dataclass; `define_flags` turns fields into absl flags of the same name,
`from_flags` turns parsed flags back into a dataclass. Library code takes these dataclasses and never reads a flag.
This module does not import TensorFlow: a wrong flag is refused before TensorFlow starts.
"""

import dataclasses
import math
import os
import re
import sys

from absl import app, flags, logging

from tfwarpgan import object_store
from tfwarpgan.errors import InputError

STAGES = ("human_parser", "pose_guided_parser", "geometric_matcher", "warping_generator")
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


@dataclasses.dataclass(frozen=True)
class LossOptions:
    """Weights of the losses; 0 removes a term and its computation."""

    lambda_adversarial: float = option(1.0, "Generator: least-squares adversarial loss.", minimum=0)
    lambda_pixel: float = option(10.0, "Generator: L1 between pictures.", minimum=0)
    lambda_perceptual: float = option(10.0, "Generator: L1 between VGG features.", minimum=0)
    lambda_pyramid: float = option(10.0, "Generator: pyramidal-hierarchy loss.", minimum=0)
    parser_lambda_adversarial: float = option(1.0, "Pose-guided parser: least-squares adversarial loss.", minimum=0)
    parser_lambda_pyramid: float = option(10.0, "Pose-guided parser: pyramidal-hierarchy loss.", minimum=0)
    pyramid_alphas: tuple = option((1.0, 1.0, 1.0), "Weights of the discriminator's feature maps 0, 1, 2.", minimum=0)
    matcher_lambda_smooth: float = option(1.0, "Matcher: smoothness of the grid on real pairs.", minimum=0)
    perceptual_network: str = option("VGG19", "Network of the perceptual loss.", choices=("VGG16", "VGG19"))
    perceptual_weights: str = option(
        "imagenet", "'imagenet' (fetched by tf.keras.applications), or an npz file of VGG convolution weights."
    )

    def __post_init__(self):
        if len(self.pyramid_alphas) != 3:
            raise InputError(f"--pyramid_alphas needs 3 numbers, got {len(self.pyramid_alphas)}.")


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
    beta_1: float = option(0.5, "Adam's first decay.", minimum=0, maximum=0.9999)
    beta_2: float = option(0.999, "Adam's second decay.", minimum=0, maximum=0.9999)
    decay_from: float = option(
        1.0,
        "Share of a stage's steps after which the learning rate falls linearly to 0; 1: never.",
        minimum=0,
        maximum=1,
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
    pictures_every: int = option(1000, "Steps between two picture grids.", minimum=1)
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


@dataclasses.dataclass(frozen=True)
class Options:
    """All that a run depends on."""

    data: DataOptions = DataOptions()
    networks: NetworkOptions = NetworkOptions()
    losses: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()


def check_data_place(data):
    """Refuses options that do not say where the data set lies, or say it where nothing can lie.

    Args:
        data: `DataOptions`.

    Raises:
        InputError: Naming the flag that is missing or too many.
    """
    if data.dataset == "people" and data.data_dir:
        raise InputError("--dataset=people is shipped and needs no --data_dir; for a folder say --dataset=market1501.")
    if data.dataset == "lip" and not (data.data_dir or data.lip_dir):
        raise InputError("--dataset=lip needs --lip_dir, the folder of the data set.")
    if data.dataset not in ("people", "lip") and not data.data_dir:
        raise InputError(f"--dataset={data.dataset} needs --data_dir, the folder of the data set.")


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


def define_flags(*classes, flag_values=flags.FLAGS):
    """Defines a flag for each field of the dataclasses (of `Options`: for those of its parts)."""
    for field in _fields(*classes):
        _define_flag(field, flag_values)


def _fields(*classes):
    for cls in classes:
        for field in dataclasses.fields(cls):
            yield from _fields(field.type) if dataclasses.is_dataclass(field.type) else [field]


def _define_flag(field, flag_values):
    bounds = {"lower_bound": field.metadata["minimum"], "upper_bound": field.metadata["maximum"]}
    common = {"help": field.metadata["help"], "flag_values": flag_values}
    choices = field.metadata["choices"]
    if field.type is bool:
        flags.DEFINE_bool(field.name, field.default, **common)
    elif choices and field.type is str:
        flags.DEFINE_enum(field.name, field.default, list(choices), **common)
    elif field.type is int:
        flags.DEFINE_integer(field.name, field.default, **common, **({} if choices else bounds))
    elif field.type is float:
        flags.DEFINE_float(field.name, field.default, **common, **bounds)
    elif field.type is tuple:
        flags.DEFINE_list(field.name, [str(value) for value in field.default], **common)
    else:
        flags.DEFINE_string(field.name, field.default, **common)


def from_flags(cls, flag_values=flags.FLAGS):
    """An instance of the dataclass from parsed flags.

    Raises:
        InputError: If a value or a combination of values is impossible.
    """
    values = {}
    for field in dataclasses.fields(cls):
        if dataclasses.is_dataclass(field.type):
            values[field.name] = from_flags(field.type, flag_values)
            continue
        value = flag_values[field.name].value
        if field.type is tuple:
            value = _numbers(field, value)
        if any(isinstance(number, float) and not math.isfinite(number) for number in _listed(value)):
            raise InputError(f"--{field.name}={value} must be a finite number.")
        choices = field.metadata["choices"]
        if choices and value not in choices:
            raise InputError(f"--{field.name}={value} must be one of {', '.join(map(str, choices))}.")
        values[field.name] = value
    return cls(**values)


def _listed(value):
    return value if isinstance(value, tuple) else (value,)


def _numbers(field, texts):
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        raise InputError(f"--{field.name}={','.join(texts)} must be numbers separated by commas.") from None
    minimum = field.metadata["minimum"]
    if minimum is not None and any(number < minimum for number in numbers):
        raise InputError(f"--{field.name}={','.join(texts)} must not hold a number below {minimum}.")
    return numbers


def to_flagfile(options):
    """The text of a flagfile that gives these options again, one flag a line."""
    lines = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            lines.append(to_flagfile(value).rstrip("\n"))
        else:
            lines.append(f"--{field.name}={','.join(map(str, value)) if field.type is tuple else value}")
    return "\n".join(lines) + "\n"


def run_command(main, *classes, reads_run=False):
    """Runs a command: flags in, an instance of each dataclass to `main`, user errors as one sentence.

    Args:
        main: Function of one instance of each class.
        *classes: The dataclasses whose fields are the command's flags.
        reads_run: Whether the options of the run in --run_dir (or of the released --weights) are read before the
            command line, which wins.
    """
    define_flags(*classes)
    for field in _fields(*classes):  # --help lists the flags of the command's own module
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[field.name])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes about the machine are not the user's

    def parse(argv):
        if reads_run:
            argv = [argv[0], *_run_flags(argv), *argv[1:]]
        try:
            leftover = flags.FLAGS(argv)[1:]
        except flags.Error as error:
            _exit(str(error).strip().splitlines()[0])
        if leftover:
            _exit(f"Unexpected argument '{leftover[0]}': options are written --name=value, see --help.")
        return argv

    def call(argv):
        del argv
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        try:
            main(*[from_flags(cls) for cls in classes])
        except InputError as error:
            _exit(str(error))
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)
            sys.exit(130)
        except Exception as error:
            told = _told_through_tensorflow(error)
            if not told:
                raise
            _exit(told)

    logging.use_absl_handler()
    try:
        try:
            app.run(call, flags_parser=parse)
        except InputError as error:
            _exit(str(error))
    except SystemExit as end:
        object_store.leave(end.code)
        raise


def _told_through_tensorflow(error):
    """The sentence of an `InputError` that was raised inside a graph, where TensorFlow wraps it; else None."""
    if type(error).__module__.startswith("tensorflow"):
        found = re.search(rf"{InputError.__name__}: (.+)", str(error))
        return found and found.group(1)
    return None


def released_folder(name):
    """The folder of released weights of that name.

    Raises:
        InputError: If there are none.
    """
    root = os.path.join(os.path.dirname(__file__), "weights")
    folder = os.path.join(root, name)
    if not os.path.exists(os.path.join(folder, RUN_FLAGFILE)):
        names = sorted(entry for entry in os.listdir(root) if os.path.exists(os.path.join(root, entry, RUN_FLAGFILE)))
        raise InputError(f"--weights={name} is not released; there are: {', '.join(names) or 'none'}.")
    return folder


def run_options(run_dir):
    """The `Options` that a run was trained with, wherever it lies now.

    Raises:
        InputError: If the folder holds no run.
    """
    values = flags.FlagValues()
    define_flags(Options, flag_values=values)
    path = _run_flagfile(run_dir)
    try:
        values(["run", f"--flagfile={path}", f"--run_dir={os.path.expanduser(run_dir)}"])
    except flags.Error as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    return from_flags(Options, values)


def _run_flagfile(run_dir):
    path = os.path.join(os.path.expanduser(run_dir), RUN_FLAGFILE)
    if not object_store.exists(path):
        raise InputError(f"{run_dir} holds no run ({RUN_FLAGFILE} is missing); train one there first.")
    return object_store.local_file(path)


def _run_flags(argv):
    weights, run_dir = _argument(argv, "weights"), _argument(argv, "run_dir")
    if weights:
        return [f"--flagfile={os.path.join(released_folder(weights), RUN_FLAGFILE)}"]
    return [f"--flagfile={_run_flagfile(run_dir)}"] if run_dir else []


def _argument(argv, wanted):
    """The value of a flag on a command line that is not parsed yet, or an empty string."""
    for argument, following in reversed(list(zip(argv, [*argv[1:], ""], strict=True))):  # the last one wins
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == wanted:
            return value if equals else following
    return ""


def _exit(sentence):
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)
