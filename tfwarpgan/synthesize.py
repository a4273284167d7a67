"""Draws a person in another pose: one image, those of a folder, or a list of pairs.

    python -m tfwarpgan.synthesize --weights=people --image=... --parsing=... --pose_json=... --output=...

Or many: `--image_dir=DIR --output_dir=...` draws every image of a folder in one pose, and `--pairs=CSV
--image_dir=... --annotation=CSV --output_dir=...` draws one image per row of the CSV. With `--server=host:port` a
server draws, and TensorFlow is not needed here.
"""

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from tfwarpgan.body.joints import MISSING
from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.inference.released import released_parser
from tfwarpgan.options import Options, option
from tfwarpgan.serving.remote import ServerOptions
from tfwarpgan.typing import Joints, Size, Visible

if TYPE_CHECKING:
    from tfwarpgan.inference.synthesis import Request, Row
    from tfwarpgan.inference.synthesizer import Pipeline
    from tfwarpgan.typing import Pose

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
    if server.server:
        given = {**dataclasses.asdict(job), "run_dir": options.train.run_dir}
        for name in ("weights", "run_dir", "human_parser_run_dir"):
            if given[name]:
                raise InputError(f"Give either --server or --{name}, not both: a server uses its own networks.")
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
    from tfwarpgan.inference import synthesis

    remote = server.connect() if server.server else None
    own_pose = "condition_keypoints" in (remote.inputs if remote else options.networks.inputs)
    if remote:
        options = _framed(remote.sized(options), remote.framing)
        if not remote.labels:
            check_parsings(options, job)
    # What is wrong with the files is said before the networks are built.
    if job.pairs:
        requests = pair_requests(options, job, own_pose)
    elif job.image_dir:
        requests = folder_requests(options, job, own_pose)
    else:
        requests = [image_request(options, job, own_pose)]
    pipeline = remote or _own_pipeline(options, job)
    written = synthesis.synthesize(pipeline, requests, options.data.batch_size, len(requests), not job.image)
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


def image_request(options: Options, job: SynthesizeOptions, own_pose: bool = False) -> "Request":
    """The request of --image, for `synthesis.synthesize`; its row is made at once.

    Args:
        options: `Options`.
        job: `SynthesizeOptions`.
        own_pose: Whether the model sees the person's own pose.
    """
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.inference import synthesis

    condition = synthesis.condition_row(
        job.image, Framing.of(options.data), job.parsing, _labels(options), options.data.ignore_label
    )
    row = condition | _one_pose(options, job)(job.image)
    if own_pose:
        row |= _own_pose(options, job)(os.path.basename(job.image), job.image)
    return job.output, lambda: row


def folder_requests(options: Options, job: SynthesizeOptions, own_pose: bool = False) -> list["Request"]:
    """The requests of --image_dir in one pose: images keep their places below --output_dir."""
    from tfwarpgan.data.pictures.files import list_images
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.inference import synthesis

    framing, labels = Framing.of(options.data), _labels(options)
    pose, own = _one_pose(options, job), _own_pose(options, job) if own_pose else None

    def row(path: str) -> "Row":
        parsing = _parsing_path(options, job, os.path.relpath(path, job.image_dir))
        row = synthesis.condition_row(path, framing, parsing, labels, options.data.ignore_label) | pose(path)
        return row | own(os.path.basename(path), path) if own else row

    parsings = [os.path.expanduser(options.data.parsing_dir)] if options.data.parsing_dir else []
    images = list_images(job.image_dir, job.output_dir, "output_dir", parsings)
    return [(output, functools.partial(row, path)) for path, output in images]


def _one_pose(options: Options, job: SynthesizeOptions) -> Callable[[str], "Row"]:
    """A function of an image of a person that gives the pose row of the one target pose."""
    from tfwarpgan.data.joints.pose_json import openpose_bodies

    joints, visible, source = _pose(options, job)
    canvas = openpose_bodies(job.pose_json)[1] if job.pose_json else None
    place = _placer(options, job, annotated=not job.pose_json)

    def row(path: str) -> "Row":
        return place(joints, visible, source, _pose_frame_image(job, path), canvas)

    return row


def _own_pose(options: Options, job: SynthesizeOptions) -> Callable[[str, str], "Row"]:
    """A function (name of an image in --annotation, its path) of the row of the pose that its person has in it."""
    from tfwarpgan.data.joints.pose_json import openpose_bodies, read_openpose_json

    if job.image_pose_json:
        joints, visible = read_openpose_json(job.image_pose_json)
        canvas = openpose_bodies(job.image_pose_json)[1]
        place = _placer(options, job, annotated=False, side="condition")
        return lambda name, path: place(joints, visible, job.image_pose_json, path, canvas)
    if not job.annotation:
        raise InputError(
            "This model sees the person's own pose: give it with --image_pose_json, or --annotation with a row for the "
            "image."
        )
    annotations, place = _annotations(options, job), _placer(options, job, annotated=True, side="condition")

    def row(name: str, path: str) -> "Row":
        if name not in annotations:
            raise InputError(f"{job.annotation} has no row for {name}, and this model sees the person's own pose.")
        return place(*annotations[name], f"{job.annotation}, {name}", path)

    return row


def _placer(options: Options, job: SynthesizeOptions, annotated: bool, side: str = "target") -> Callable[..., "Row"]:
    """A function (joints, visible, where they come from, their image, the frame that their file states) of a pose row.

    Joints of --annotation are in the frame that the run declares for those of its training; with --pose_size, and
    other joints, in the pixels of their image. --keypoint_scale counts for all.
    """
    from tfwarpgan.data.joints.frames import Frame
    from tfwarpgan.data.pictures import images
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.inference import synthesis

    framing = Framing.of(options.data)
    pose_frame = job.pose_frame if side == "target" else None
    is_declared = annotated and not pose_frame
    frame = Frame.of(options.data) if is_declared else Frame(scale=options.data.keypoint_scale)
    size_of = functools.lru_cache(1024)(images.check_image)

    def row(joints: Joints, visible: Visible, source: str, path: str, canvas: Size | None = None) -> "Row":
        size = pose_frame or canvas or size_of(path)
        if not frame.is_image:
            joints, visible = frame.place_in(joints, visible, size)
        return synthesis.pose_row(joints, visible, size, framing, source, side)

    return row


def _annotations(options: Options, job: SynthesizeOptions) -> dict[str, "Pose"]:
    from tfwarpgan.data.joints import pose_gan

    missing = options.data.keypoint_missing
    rows = pose_gan.iterate_annotation_rows(job.annotation, missing=MISSING if missing == "format" else float(missing))
    found = pose_gan.collect_rows(job.annotation, rows)
    return {name: (joints, visible) for name, (joints, visible, _) in found.items()}


def _pose(options: Options, job: SynthesizeOptions) -> tuple[Joints, Visible, str]:
    """(joints, visible, where they come from) of the one target pose."""
    from tfwarpgan.data.joints.pose_json import read_openpose_json

    if job.pose_json:
        joints, visible = read_openpose_json(job.pose_json)
        return joints, visible, job.pose_json
    name = job.pose_name or os.path.basename(job.pose_image)
    annotations = _annotations(options, job)
    if name not in annotations:
        raise InputError(f"{job.annotation} has no row for {name}; name one of its {len(annotations)} images.")
    return *annotations[name], f"{job.annotation}, {name}"


def _pose_frame_image(job: SynthesizeOptions, path: str) -> str:
    """The image whose size is the pose's frame; a bare --pose_image is looked for beside the person's too."""
    beside = os.path.join(os.path.dirname(path), job.pose_image)
    return beside if job.pose_image and not os.path.isfile(job.pose_image) else job.pose_image or path


def pair_requests(options: Options, job: SynthesizeOptions, own_pose: bool = False) -> list["Request"]:
    """The requests of --pairs, for `synthesis.synthesize`, after a check that everything they name exists."""
    from tfwarpgan.data.pairs.lists import read_pairs
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.inference import synthesis

    framing, labels = Framing.of(options.data), _labels(options)
    annotations, pairs = _annotations(options, job), read_pairs(job.pairs)
    image = _finder(job.image_dir)
    check_pairs(options, job, annotations, pairs, image)
    # Lists of pairs are sorted by person: an image comes many times in a row.
    condition = functools.lru_cache(64)(synthesis.condition_row)
    place = _placer(options, job, annotated=True)
    own = _own_pose(options, job) if own_pose else None

    def row(name: str, target: str) -> "Row":
        pose = place(*annotations[target], f"{job.annotation}, {target}", image(target))
        if own:
            pose |= own(name, image(name))
        parsing = _parsing_path(options, job, name)
        return condition(image(name), framing, parsing, labels, options.data.ignore_label) | pose

    def path(name: str, target: str) -> str:
        return os.path.join(job.output_dir, synthesis.output_name(name, target))

    return [(path(*names), functools.partial(row, *names)) for _, *names in pairs]


def check_pairs(
    options: Options,
    job: SynthesizeOptions,
    annotations: Collection[str],
    pairs: Sequence[tuple[int, str, str]],
    image: Callable[[str], str],
) -> None:
    """Refuses a list of pairs that names missing files or rows, before anything is synthesized.

    Raises:
        InputError: Naming the list's row.
    """
    from tfwarpgan.data.pictures.files import inside

    for number, name, target in pairs:
        for listed in (name, target):
            try:
                inside(job.image_dir, listed)
            except InputError as error:
                raise InputError(f"{job.pairs}, row {number}: {error}") from None
        if target not in annotations:
            raise InputError(f"{job.pairs}, row {number}: {target} has no row in {job.annotation}.")
        parsing = _parsing_path(options, job, name)
        needed = [image(name), *([parsing] if parsing else [])]
        needed += [] if job.pose_frame else [image(target)]
        for path in needed:
            if not os.path.isfile(path):
                raise InputError(f"{job.pairs}, row {number}: {path} does not exist; add the file or remove the row.")


@functools.cache
def _finder(folder: str) -> Callable[[str], str]:
    """A function: name in a list -> path below the folder, whichever way the list spells DeepFashion's names."""
    from tfwarpgan.data.layouts.deepfashion import flat_key
    from tfwarpgan.data.pictures.files import files_below

    @functools.cache
    def by_key() -> dict[str, str]:
        return {flat_key(name): path for name, path in files_below(folder).items()}

    def find(name: str) -> str:
        path = os.path.join(folder, name)
        return path if os.path.isfile(path) else by_key().get(flat_key(name), path)

    return find


def _parsing_path(options: Options, job: SynthesizeOptions, name: str) -> str:
    if job.human_parser_run_dir or not options.data.parsing_dir:
        return ""
    find = _finder(os.path.expanduser(options.data.parsing_dir))
    return find(os.path.splitext(name)[0] + ".png")


def _labels(options: Options) -> tuple[int, ...] | None:
    """The LIP label of each label in the label maps; None: they are LIP's."""
    from tfwarpgan.body.label_mappings import to_lip

    return to_lip(options.data.label_mapping)


def cli() -> None:
    """The command."""
    frames = ("keypoint_frame", "keypoint_crop", "keypoint_missing", "keypoint_scale", "picture_crop", "picture_fit")
    takes = ("run_dir", "checkpoint", "parsing_dir", "label_mapping", "ignore_label", "batch_size", *frames)
    run_command(main, Options, SynthesizeOptions, ServerOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
