"""Writes label maps for a folder of images, with a trained human parser.

python -m tfwarpgan.annotate --run_dir=RUN --image_dir=DIR --parsing_dir=OUT
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


def main(options: Options, annotate: AnnotateOptions) -> None:
    """Writes a label map for every image that has none."""
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


def cli() -> None:
    """The command."""
    takes = ("run_dir", "parsing_dir", "batch_size", "height", "width", "precision")
    run_command(main, Options, AnnotateOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
