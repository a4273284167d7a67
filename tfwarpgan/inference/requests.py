"""What `synthesize` draws: for each image its output file, and a function that makes its row of a batch.

Files are read when a row is made, so that a long list starts at once; what a list names is looked for before.
"""

import functools
import os
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from tfwarpgan.body.joints import MISSING
from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.joints.frames import Frame
from tfwarpgan.data.joints.pose_gan import collect_rows, iterate_annotation_rows
from tfwarpgan.data.joints.pose_json import openpose_bodies, read_openpose_json
from tfwarpgan.data.layouts.deepfashion import flat_key
from tfwarpgan.data.pairs.lists import read_pairs
from tfwarpgan.data.pictures.files import files_below, inside, list_images
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.pictures.images import check_image
from tfwarpgan.errors import InputError
from tfwarpgan.inference.synthesis import Request, Row, condition_row, output_name, pose_row
from tfwarpgan.options import Options
from tfwarpgan.typing import Joints, Pose, Size, Visible

if TYPE_CHECKING:
    from tfwarpgan.synthesize import SynthesizeOptions


def image_request(options: Options, job: "SynthesizeOptions", own_pose: bool = False) -> Request:
    """The request of --image, for `synthesis.synthesize`; its row is made at once.

    Args:
        options: `Options`.
        job: `SynthesizeOptions`.
        own_pose: Whether the model sees the person's own pose.
    """
    condition = condition_row(
        job.image, Framing.of(options.data), job.parsing, _labels(options), options.data.ignore_label
    )
    row = condition | _one_pose(options, job)(job.image)
    if own_pose:
        row |= _own_pose(options, job)(os.path.basename(job.image), job.image)
    return job.output, lambda: row


def folder_requests(options: Options, job: "SynthesizeOptions", own_pose: bool = False) -> list[Request]:
    """The requests of --image_dir in one pose: images keep their places below --output_dir."""
    framing, labels = Framing.of(options.data), _labels(options)
    pose, own = _one_pose(options, job), _own_pose(options, job) if own_pose else None

    def row(path: str) -> Row:
        parsing = _parsing_path(options, job, os.path.relpath(path, job.image_dir))
        row = condition_row(path, framing, parsing, labels, options.data.ignore_label) | pose(path)
        return row | own(os.path.basename(path), path) if own else row

    parsings = [os.path.expanduser(options.data.parsing_dir)] if options.data.parsing_dir else []
    images = list_images(job.image_dir, job.output_dir, "output_dir", parsings)
    return [(output, functools.partial(row, path)) for path, output in images]


def _one_pose(options: Options, job: "SynthesizeOptions") -> Callable[[str], Row]:
    """A function of an image of a person that gives the pose row of the one target pose."""
    joints, visible, source = _pose(options, job)
    canvas = openpose_bodies(job.pose_json)[1] if job.pose_json else None
    place = _placer(options, job, annotated=not job.pose_json)

    def row(path: str) -> Row:
        return place(joints, visible, source, _pose_frame_image(job, path), canvas)

    return row


def _own_pose(options: Options, job: "SynthesizeOptions") -> Callable[[str, str], Row]:
    """A function (name of an image in --annotation, its path) of the row of the pose that its person has in it."""
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

    def row(name: str, path: str) -> Row:
        if name not in annotations:
            raise InputError(f"{job.annotation} has no row for {name}, and this model sees the person's own pose.")
        return place(*annotations[name], f"{job.annotation}, {name}", path)

    return row


def _placer(options: Options, job: "SynthesizeOptions", annotated: bool, side: str = "target") -> Callable[..., Row]:
    """A function (joints, visible, where they come from, their image, the frame that their file states) of a pose row.

    Joints of --annotation are in the frame that the run declares for those of its training; with --pose_size, and
    other joints, in the pixels of their image. --keypoint_scale counts for all.
    """
    framing = Framing.of(options.data)
    pose_frame = job.pose_frame if side == "target" else None
    is_declared = annotated and not pose_frame
    frame = Frame.of(options.data) if is_declared else Frame(scale=options.data.keypoint_scale)
    size_of = functools.lru_cache(1024)(check_image)

    def row(joints: Joints, visible: Visible, source: str, path: str, canvas: Size | None = None) -> Row:
        size = pose_frame or canvas or size_of(path)
        if not frame.is_image:
            joints, visible = frame.place_in(joints, visible, size)
        return pose_row(joints, visible, size, framing, source, side)

    return row


def _annotations(options: Options, job: "SynthesizeOptions") -> dict[str, Pose]:
    missing = options.data.keypoint_missing
    rows = iterate_annotation_rows(job.annotation, missing=MISSING if missing == "format" else float(missing))
    found = collect_rows(job.annotation, rows)
    return {name: (joints, visible) for name, (joints, visible, _) in found.items()}


def _pose(options: Options, job: "SynthesizeOptions") -> tuple[Joints, Visible, str]:
    """(joints, visible, where they come from) of the one target pose."""
    if job.pose_json:
        joints, visible = read_openpose_json(job.pose_json)
        return joints, visible, job.pose_json
    name = job.pose_name or os.path.basename(job.pose_image)
    annotations = _annotations(options, job)
    if name not in annotations:
        raise InputError(f"{job.annotation} has no row for {name}; name one of its {len(annotations)} images.")
    return *annotations[name], f"{job.annotation}, {name}"


def _pose_frame_image(job: "SynthesizeOptions", path: str) -> str:
    """The image whose size is the pose's frame; a bare --pose_image is looked for beside the person's too."""
    beside = os.path.join(os.path.dirname(path), job.pose_image)
    return beside if job.pose_image and not os.path.isfile(job.pose_image) else job.pose_image or path


def pair_requests(options: Options, job: "SynthesizeOptions", own_pose: bool = False) -> list[Request]:
    """The requests of --pairs, for `synthesis.synthesize`, after a check that everything they name exists."""
    framing, labels = Framing.of(options.data), _labels(options)
    annotations, pairs = _annotations(options, job), read_pairs(job.pairs)
    image = _finder(job.image_dir)
    check_pairs(options, job, annotations, pairs, image)
    # Lists of pairs are sorted by person: an image comes many times in a row.
    condition = functools.lru_cache(64)(condition_row)
    place = _placer(options, job, annotated=True)
    own = _own_pose(options, job) if own_pose else None

    def row(name: str, target: str) -> Row:
        pose = place(*annotations[target], f"{job.annotation}, {target}", image(target))
        if own:
            pose |= own(name, image(name))
        parsing = _parsing_path(options, job, name)
        return condition(image(name), framing, parsing, labels, options.data.ignore_label) | pose

    def path(name: str, target: str) -> str:
        return os.path.join(job.output_dir, output_name(name, target))

    return [(path(*names), functools.partial(row, *names)) for _, *names in pairs]


def check_pairs(
    options: Options,
    job: "SynthesizeOptions",
    annotations: Collection[str],
    pairs: Sequence[tuple[int, str, str]],
    image: Callable[[str], str],
) -> None:
    """Refuses a list of pairs that names missing files or rows, before anything is synthesized.

    Raises:
        InputError: Naming the list's row.
    """
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

    @functools.cache
    def by_key() -> dict[str, str]:
        return {flat_key(name): path for name, path in files_below(folder).items()}

    def find(name: str) -> str:
        path = os.path.join(folder, name)
        return path if os.path.isfile(path) else by_key().get(flat_key(name), path)

    return find


def _parsing_path(options: Options, job: "SynthesizeOptions", name: str) -> str:
    if job.human_parser_run_dir or not options.data.parsing_dir:
        return ""
    find = _finder(os.path.expanduser(options.data.parsing_dir))
    return find(os.path.splitext(name)[0] + ".png")


def _labels(options: Options) -> tuple[int, ...] | None:
    """The LIP label of each label in the label maps; None: they are LIP's."""
    return to_lip(options.data.label_mapping)
