"""Draws a person in another pose: one image, those of a folder, or a list of pairs.

    python -m tfwarpgan.synthesize --weights=people --image=... --parsing=... --pose_json=... --output=...

Or many: `--image_dir=DIR --output_dir=...` draws every image of a folder in one pose, and `--pairs=CSV
--image_dir=... --annotation=CSV --output_dir=...` draws one image per row of the CSV. With `--server=host:port` a
server draws, and TensorFlow is not needed here.
"""

import dataclasses
import os
import re
from typing import TYPE_CHECKING

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.inference.released import released_parser
from tfwarpgan.options import FINISHING, NetworkOptions, Options, option
from tfwarpgan.serving.remote import ServerOptions
from tfwarpgan.storage.writing import check_place
from tfwarpgan.typing import Size

if TYPE_CHECKING:
    from tfwarpgan.inference.synthesizer import Pipeline

OWN_NETWORKS = ServerOptions()
_NO_PARSING = (
    "There is no label map for the image: give {labels}, or a trained human parser with --human_parser_run_dir."
)


# What has no effect beside a flag.
_UNUSED = {
    "pairs": ("image", "output", "parsing", "pose_json", "pose_name", "pose_image", "image_pose_json"),
    "image_dir": ("image", "output", "parsing", "image_pose_json"),
    "image": ("output_dir",),
}


@dataclasses.dataclass(frozen=True)
class SynthesizeOptions:
    """Who is drawn, in which pose, and where the image goes."""

    weights: str = option("", "Released weights to use instead of a run, such as 'people'.")
    image: str = option("", "Image of the person.")
    parsing: str = option(
        "", "Label map of --image: grayscale or palette PNG of the same size, with the 20 labels of LIP."
    )
    human_parser_run_dir: str = option(
        "", "Run of a human parser, which labels images without a label map; default: that of --weights."
    )
    image_pose_json: str = option(
        "", "The person's own pose in --image, for a model that sees it: a JSON file of OpenPose; default: the image's "
        "row in --annotation.",
    )  # fmt: skip
    pose_json: str = option("", "Target pose: a JSON file of OpenPose.")
    annotation: str = option("", "CSV file of poses, name:keypoints_y:keypoints_x.")
    pose_name: str = option("", "Target pose: the row with this name in --annotation.")
    pose_image: str = option("", "Target pose: that of this image, by its row in --annotation.")
    pose_size: str = option(
        "", "Size of the image that the pose was detected in, HEIGHTxWIDTH in pixels; default: that of --pose_image, "
        "or of the person's image.",
    )  # fmt: skip
    output: str = option("", "PNG file to write.")
    image_dir: str = option(
        "", "Folder of images, including its subfolders, to draw in the target pose or as --pairs says; their label "
        "maps are in --parsing_dir.",
    )  # fmt: skip
    pairs: str = option("", "CSV file of pairs, from,to: draws the person in 'from' in the pose of 'to'.")
    output_dir: str = option(
        "", "With --image_dir: folder for the results; with --pairs they are named <from>_2_<to>.png."
    )

    def __post_init__(self) -> None:
        if self.pose_size and not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", self.pose_size):
            raise InputError(f"--pose_size={self.pose_size} must be HEIGHTxWIDTH, such as 128x64.")
        for job, others in _UNUSED.items():
            for name in others:
                if getattr(self, job) and getattr(self, name):
                    raise InputError(f"Give either --{name} or --{job}, not both.")
        if self.pairs:
            self._need("--pairs", "image_dir", "annotation", "output_dir")
        elif self.image_dir:
            self._need("--image_dir", "output_dir")
            self._check_pose()
        elif self.image or self.output:
            self._need("--image" if self.image else "--output", "image", "output")
            self._check_pose()

    def _need(self, reason: str, *names: str) -> None:
        for name in names:
            if not getattr(self, name):
                raise InputError(f"{reason} needs --{name} too.")

    def _check_pose(self) -> None:
        given = [name for name in ("pose_json", "pose_name", "pose_image") if getattr(self, name)]
        if len(given) != 1:
            raise InputError(
                "Give exactly one target pose: --pose_json, --pose_name (with --annotation) or "
                f"--pose_image (with --annotation); {len(given)} are given."
            )
        if given != ["pose_json"]:
            self._need(f"--{given[0]}", "annotation")

    @property
    def pose_frame(self) -> Size | None:
        """(height, width) of `pose_size`, or None."""
        if not self.pose_size:
            return None
        height, width = map(int, self.pose_size.split("x"))
        return height, width


def check(options: Options, job: SynthesizeOptions, server: ServerOptions = OWN_NETWORKS) -> None:
    """Refuses options that cannot work, before TensorFlow is loaded.

    Raises:
        InputError: If networks, images or label maps are missing.
    """
    if not job.image_dir and not job.image:
        raise InputError("Nothing to synthesize: give --image and a pose, or --image_dir and a pose or --pairs.")
    if job.output:
        check_place(job.output)
    if server.server:
        given = {**dataclasses.asdict(job), "run_dir": options.train.run_dir}
        for name in ("weights", "run_dir", "human_parser_run_dir"):
            if given[name]:
                raise InputError(f"Give either --server or --{name}, not both: a server uses its own networks.")
        options.networks.check_served(NetworkOptions())
        return
    if not job.weights and not options.train.run_dir:
        raise InputError("No networks are given: use --weights=people or the --run_dir of a trained run.")
    check_parsings(options, job)


def check_parsings(options: Options, job: SynthesizeOptions) -> None:
    """Refuses images that nothing labels.

    Raises:
        InputError: If neither parsings nor a human parser are named, and the networks see parsings.
    """
    if "condition_parsing" not in options.networks.inputs:
        return
    if job.human_parser_run_dir or released_parser(job.weights):
        return
    if job.image_dir and not options.data.parsing_dir:
        raise InputError(_NO_PARSING.format(labels="the folder of the label maps with --parsing_dir"))
    if job.image and not job.parsing:
        raise InputError(_NO_PARSING.format(labels="its label map with --parsing"))


def main(options: Options, job: SynthesizeOptions, server: ServerOptions = OWN_NETWORKS) -> None:
    """Draws one image, those of a folder, or those of all pairs."""
    check(options, job, server)
    texts = {key: value for key, value in dataclasses.asdict(job).items() if isinstance(value, str)}
    job = dataclasses.replace(job, **{key: os.path.expanduser(value) for key, value in texts.items()})
    from tfwarpgan.inference import requests, synthesis

    remote = server.connect() if server.server else None
    own_pose = "condition_keypoints" in (remote.inputs if remote else options.networks.inputs)
    if remote:
        options = _framed(remote.sized(options), remote.framing)
        if not remote.labels:
            check_parsings(options, job)
    # What is wrong with the files is said before the networks are built.
    if job.pairs:
        wanted = requests.pair_requests(options, job, own_pose)
    elif job.image_dir:
        wanted = requests.folder_requests(options, job, own_pose)
    else:
        wanted = [requests.image_request(options, job, own_pose)]
    pipeline = remote or _own_pipeline(options, job)
    written = synthesis.synthesize(pipeline, wanted, options.data.batch_size, len(wanted), not job.image)
    print(f"Picture: {job.output}" if job.image else f"{written} pictures: {job.output_dir}")


def _framed(options: Options, flags: str) -> Options:
    """The options with the framing that a server tells, where they have none of their own."""
    from tfwarpgan.data.pictures.framing import Framing

    own = Framing.of(options.data)
    told = Framing.read(own.height, own.width, flags)
    crop = ",".join(map(str, own.crop or told.crop or ()))
    fit = own.fit if own.fit != Framing.fit else told.fit
    return dataclasses.replace(options, data=dataclasses.replace(options.data, picture_crop=crop, picture_fit=fit))


def _own_pipeline(options: Options, job: SynthesizeOptions) -> "Pipeline":
    from tfwarpgan.inference.loading import load_local

    return load_local(options, job.weights, "" if job.parsing else job.human_parser_run_dir)


def cli() -> None:
    """The command."""
    frames = ("keypoint_frame", "keypoint_crop", "keypoint_missing", "keypoint_scale", "picture_crop", "picture_fit")
    takes = ("run_dir", "checkpoint", "parsing_dir", "label_mapping", "ignore_label", "batch_size", *FINISHING, *frames)
    run_command(main, Options, SynthesizeOptions, ServerOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
