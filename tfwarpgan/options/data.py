"""Options of the data: where images come from, and how a training batch is drawn."""

import dataclasses
import re

from tfwarpgan.body.joints import required_joints
from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.errors import InputError
from tfwarpgan.options.option import option

# What happens to an image of another shape than the model's; the first is the default.
PICTURE_FITS = {
    "crop": "keeps the full height and cuts or adds columns at both sides",
    "pad": "keeps all of the image and adds rows or columns at both sides",
    "stretch": "squeezes the image",
}
KEYPOINT_FORMATS = ("pose_gan", "openpose", "coco_17", "mediapipe_33", "mmpose", "yolo_pose", "nted")
_BOX = r"-?[0-9]{1,5},-?[0-9]{1,5},[1-9][0-9]{0,4},[1-9][0-9]{0,4}"
_BOXES = (
    ("keypoint_frame", r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}", "HEIGHTxWIDTH"),
    ("keypoint_crop", _BOX, "X,Y,WIDTH,HEIGHT"),
    ("picture_crop", _BOX.replace("-?", ""), "X,Y,WIDTH,HEIGHT"),
)


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
        choices=KEYPOINT_FORMATS,
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


# Those that say what a data set holds.
DATA_SET = (DatasetOptions, PairOptions, JointOptions, FilterOptions, LipOptions)


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
