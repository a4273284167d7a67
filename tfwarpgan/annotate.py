"""Writes label maps for a folder of images, with a trained human parser, or their joints.

python -m tfwarpgan.annotate --run_dir=RUN --image_dir=DIR --parsing_dir=OUT
python -m tfwarpgan.annotate --joints --image_dir=DIR --annotation=OUT.csv
"""

import dataclasses
import os

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, option


@dataclasses.dataclass(frozen=True)
class AnnotateOptions:
    """What is labeled, and how."""

    image_dir: str = option("", "Folder of images, including its subfolders.")
    average_flip: bool = option(True, "Average over the image and its mirror image: better labels, in twice the time.")
    joints: bool = option(False, "Find joints instead of labels, of one person on each image.")
    annotation: str = option("", "With --joints: CSV file to write, name:keypoints_y:keypoints_x.")
    pose_estimator: str = option("", "With --joints: folder of MoveNet's SavedModel; default: it is fetched once.")
    min_score: float = option(0.2, "With --joints: score that a joint must exceed.", minimum=0, maximum=1)

    def __post_init__(self) -> None:
        if (self.annotation or self.pose_estimator) and not self.joints:
            raise InputError("--annotation and --pose_estimator need --joints.")


def main(options: Options, annotate: AnnotateOptions) -> None:
    """Writes a label map for every image that has none, or the joints of all."""
    if annotate.joints:
        _joints(options, annotate)
        return
    for name, value in (("run_dir", options.train.run_dir), ("image_dir", annotate.image_dir)):
        if not value:
            raise InputError(f"--{name} is missing: annotate needs --run_dir, --image_dir and --parsing_dir.")
    from tfwarpgan.data.pictures.files import list_images, other_files
    from tfwarpgan.inference.label_folder import annotate_folder
    from tfwarpgan.inference.loading import load_human_parser

    image_dir, parsing_dir = (os.path.expanduser(folder) for folder in (annotate.image_dir, options.data.parsing_dir))
    list_images(image_dir, parsing_dir)  # before the network is built, so that a wrong folder is refused at once
    parse = load_human_parser(options, average_flip=annotate.average_flip)
    written, kept = annotate_folder(
        parse, image_dir, parsing_dir,
        height=options.data.height, width=options.data.width, batch_size=options.data.batch_size,
    )  # fmt: skip
    print(f"{parsing_dir}: {written} label maps written, {kept} already existed.")
    others = other_files(image_dir, parsing_dir)
    if others:
        print(f"{len(others)} other files were ignored, such as {others[0]}.")


def _joints(options: Options, annotate: AnnotateOptions) -> None:
    if options.train.run_dir or options.data.parsing_dir:
        raise InputError("--run_dir and --parsing_dir have no effect with --joints; leave them out.")
    for name in ("image_dir", "annotation"):
        if not getattr(annotate, name):
            raise InputError(f"--{name} is missing: --joints needs --image_dir and --annotation.")
    image_dir, annotation = (os.path.expanduser(path) for path in (annotate.image_dir, annotate.annotation))
    if not os.path.isdir(image_dir):
        raise InputError(f"--image_dir={image_dir} is not a folder; give the folder of the images.")
    from tfwarpgan.photographs.estimator import load_estimator
    from tfwarpgan.photographs.joint_folder import annotate_joints

    found, nobody = annotate_joints(load_estimator(annotate.pose_estimator, annotate.min_score), image_dir, annotation)
    print(f"{annotation}: joints of {found} images; on {nobody} others nobody was found.")


def cli() -> None:
    """The command."""
    takes = ("run_dir", "parsing_dir", "batch_size", "height", "width", "precision")
    run_command(main, Options, AnnotateOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
