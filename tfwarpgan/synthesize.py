"""A picture and a pose -> a picture: `python -m tfwarpgan.synthesize --weights=people --image=... --output=...`.

Or many: `--image_dir=DIR --output_dir=...` draws every picture of a folder in one pose, and `--pairs=CSV
--image_dir=... --annotation=CSV --output_dir=...` a picture a row of the CSV. With `--server=host:port` a server
draws, and TensorFlow is not needed here.
"""

import dataclasses
import functools
import os
import re

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.options import Options, option
from tfwarpgan.serving.remote import ServerOptions

OWN_NETWORKS = ServerOptions()
_NO_PARSING = (
    "There is no parsing of the condition picture: give {labels}, or a trained human parser by --human_parser_run_dir."
)


@dataclasses.dataclass(frozen=True)
class SynthesizeOptions:
    """Who is drawn, in which pose, and where the picture goes."""

    weights: str = option("", "Released weights to use in place of a run's, such as 'people'.")
    image: str = option("", "Picture of the person.")
    parsing: str = option("", "Label map of --image: grey or palette PNG of the 20 LIP labels, of the picture's size.")
    human_parser_run_dir: str = option("", "Run whose human parser labels the pictures that have no parsing.")
    pose_json: str = option("", "Target pose: OpenPose's JSON file.")
    annotation: str = option("", "CSV of poses, name:keypoints_y:keypoints_x.")
    pose_name: str = option("", "Target pose: the row of this name in --annotation.")
    pose_image: str = option("", "Target pose: that of this picture file, by its row in --annotation.")
    pose_size: str = option(
        "", "HEIGHTxWIDTH in pixels of the picture that the pose was annotated in; empty: the size of --pose_image, or "
        "of the person's picture where the pose has none.",
    )  # fmt: skip
    output: str = option("", "PNG file to write.")
    image_dir: str = option(
        "", "Folder of pictures, sub-folders too, with --parsing_dir that of their parsings: each is drawn in the one "
        "pose, or as --pairs says.",
    )  # fmt: skip
    pairs: str = option("", "CSV of pairs, from,to: draws each person 'from' in the pose of 'to'.")
    output_dir: str = option("", "With --image_dir: folder for the pictures; of --pairs they are <from>_2_<to>.png.")

    def __post_init__(self):
        if self.pose_size and not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", self.pose_size):
            raise InputError(f"--pose_size={self.pose_size} must be HEIGHTxWIDTH, such as 128x64.")
        if self.image and (self.pairs or self.image_dir):
            raise InputError(f"--image and --{'pairs' if self.pairs else 'image_dir'} exclude each other: give one.")
        if self.pairs:
            self._need("--pairs", "image_dir", "annotation", "output_dir")
        elif self.image_dir:
            self._need("--image_dir", "output_dir")
            self._check_pose()
        elif self.image or self.output:
            self._need("--image" if self.image else "--output", "image", "output")
            self._check_pose()

    def _need(self, reason, *names):
        for name in names:
            if not getattr(self, name):
                raise InputError(f"{reason} needs --{name} too.")

    def _check_pose(self):
        given = [name for name in ("pose_json", "pose_name", "pose_image") if getattr(self, name)]
        if len(given) != 1:
            raise InputError(
                "A target pose is needed, from exactly one of --pose_json, --pose_name (with --annotation) and "
                f"--pose_image (with --annotation); {len(given)} of them are given."
            )
        if given != ["pose_json"]:
            self._need(f"--{given[0]}", "annotation")

    @property
    def pose_frame(self):
        """(height, width) of `pose_size`, or None."""
        return tuple(map(int, self.pose_size.split("x"))) if self.pose_size else None


def check(options, job, server=OWN_NETWORKS):
    """Refuses what cannot work, before TensorFlow is loaded.

    Raises:
        InputError: If networks, pictures or parsings are missing.
    """
    if not job.image_dir and not job.image:
        raise InputError("Nothing to synthesize: give --image and a pose, or --image_dir and a pose or --pairs.")
    if server.server:
        if job.weights or job.human_parser_run_dir:
            other = "weights" if job.weights else "human_parser_run_dir"
            raise InputError(f"--server and --{other} exclude each other: a server draws with what it holds.")
        return
    if not job.weights and not options.train.run_dir:
        raise InputError("No networks are named: give --weights=people or the --run_dir of a trained run.")
    check_parsings(options, job)


def check_parsings(options, job):
    """Refuses pictures that nothing labels.

    Raises:
        InputError: If neither parsings nor a human parser are named.
    """
    if job.image_dir and not (options.data.parsing_dir or job.human_parser_run_dir):
        raise InputError(_NO_PARSING.format(labels="the folder of the label maps by --parsing_dir"))
    if job.image and not (job.parsing or job.human_parser_run_dir):
        raise InputError(_NO_PARSING.format(labels="its label map by --parsing"))


def main(options, job, server=OWN_NETWORKS):
    """Draws one picture, those of a folder, or those of all pairs."""
    check(options, job, server)
    texts = {key: value for key, value in dataclasses.asdict(job).items() if isinstance(value, str)}
    job = dataclasses.replace(job, **{key: os.path.expanduser(value) for key, value in texts.items()})
    from tfwarpgan.inference import synthesis

    remote = server.connect() if server.server else None
    if remote:
        options = remote.sized(options)
        if not remote.labels:
            check_parsings(options, job)
    # What is wrong with the files is said before the networks are built.
    if job.pairs:
        requests = pair_requests(options, job)
    else:
        requests = folder_requests(options, job) if job.image_dir else [image_request(options, job)]
    pipeline = remote or _own_pipeline(options, job)
    written = synthesis.synthesize(pipeline, requests, options.data.batch_size, len(requests), not job.image)
    print(f"Picture: {job.output}" if job.image else f"{written} pictures: {job.output_dir}")


def _own_pipeline(options, job):
    from tfwarpgan.inference import synthesis
    from tfwarpgan.inference.loading import load_human_parser, load_pipeline

    pipeline = load_pipeline(options, job.weights, for_new_pictures=True)
    if job.parsing or not job.human_parser_run_dir:
        return pipeline
    size = (options.data.height, options.data.width)
    return synthesis.with_human_parser(pipeline, load_human_parser(run_options(job.human_parser_run_dir), size))


def image_request(options, job):
    """The request of --image, for `synthesis.synthesize`; its row is made at once."""
    from tfwarpgan.inference import synthesis

    size = (options.data.height, options.data.width)
    condition = synthesis.condition_row(job.image, *size, _labelled(options, job.parsing))
    row = condition | _one_pose(options, job)(job.image)
    return job.output, lambda: row


def folder_requests(options, job):
    """The requests of --image_dir in one pose: pictures keep their places below --output_dir."""
    from tfwarpgan.data.pictures.files import list_pictures
    from tfwarpgan.inference import synthesis

    size = (options.data.height, options.data.width)
    pose = _one_pose(options, job)

    def row(path):
        parsing = _parsing_path(options, job, os.path.relpath(path, job.image_dir))
        return synthesis.condition_row(path, *size, parsing) | pose(path)

    parsings = [os.path.expanduser(options.data.parsing_dir)] if options.data.parsing_dir else []
    pictures = list_pictures(job.image_dir, job.output_dir, "output_dir", parsings)
    return [(output, functools.partial(row, path)) for path, output in pictures]


def _one_pose(options, job):
    """A function of a picture of a person that gives the pose row of the one target pose."""
    from tfwarpgan.data.pictures import images
    from tfwarpgan.inference import synthesis

    joints, visible, source = _pose(job)
    frame_of = functools.lru_cache(1)(images.check_image)

    def row(path):
        frame = job.pose_frame or frame_of(_pose_picture(job, path))
        return synthesis.pose_row(joints, visible, frame, options.data.height, options.data.width, source)

    return row


def _pose(job):
    """(joints, visible, where they come from) of the one target pose."""
    from tfwarpgan.data.joints import pose_gan
    from tfwarpgan.data.joints.pose_json import read_openpose_json

    if job.pose_json:
        return *read_openpose_json(job.pose_json), job.pose_json
    name = job.pose_name or os.path.basename(job.pose_image)
    annotations = pose_gan.read_annotation_csv(job.annotation)
    if name not in annotations:
        raise InputError(f"{job.annotation} has no row for {name}; name one of its {len(annotations)} pictures.")
    return *annotations[name], f"{job.annotation}, {name}"


def _pose_picture(job, path):
    """The picture whose size is the pose's frame; a bare --pose_image is looked for beside the person's too."""
    beside = os.path.join(os.path.dirname(path), job.pose_image)
    return beside if job.pose_image and not os.path.isfile(job.pose_image) else job.pose_image or path


def pair_requests(options, job):
    """The requests of --pairs, for `synthesis.synthesize`, after a check that all that they name is there."""
    from tfwarpgan.data.joints import pose_gan
    from tfwarpgan.data.pairs.lists import read_pairs
    from tfwarpgan.data.pictures import images
    from tfwarpgan.inference import synthesis

    size = (options.data.height, options.data.width)
    annotations, pairs = pose_gan.read_annotation_csv(job.annotation), read_pairs(job.pairs)
    picture = _finder(job.image_dir)
    check_pairs(options, job, annotations, pairs, picture)
    # Lists of pairs are sorted by person: a picture comes many times in a row.
    condition = functools.lru_cache(64)(synthesis.condition_row)
    frame_of = functools.lru_cache(1024)(images.check_image)

    def row(name, target):
        frame = job.pose_frame or frame_of(picture(target))
        pose = synthesis.pose_row(*annotations[target], frame, *size, f"{job.annotation}, {target}")
        return condition(picture(name), *size, _parsing_path(options, job, name)) | pose

    def path(name, target):
        return os.path.join(job.output_dir, synthesis.output_name(name, target))

    return [(path(*names), functools.partial(row, *names)) for _, *names in pairs]


def check_pairs(options, job, annotations, pairs, picture):
    """Refuses a list of pairs that names what is not there, before anything is synthesized.

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
        needed = [picture(name), *([parsing] if parsing else [])]
        needed += [] if job.pose_frame else [picture(target)]
        for path in needed:
            if not os.path.isfile(path):
                raise InputError(f"{job.pairs}, row {number}: {path} does not exist; add the file or remove the row.")


@functools.cache
def _finder(folder):
    """A function: name in a list -> path below the folder, whichever way the list spells DeepFashion's names."""
    from tfwarpgan.data.layouts.deepfashion import flat_key
    from tfwarpgan.data.pictures.files import files_below

    @functools.cache
    def by_key():
        return {flat_key(name): path for name, path in files_below(folder).items()}

    def find(name):
        path = os.path.join(folder, name)
        return path if os.path.isfile(path) else by_key().get(flat_key(name), path)

    return find


def _parsing_path(options, job, name):
    if job.human_parser_run_dir or not options.data.parsing_dir:
        return ""
    find = _finder(os.path.expanduser(options.data.parsing_dir))
    return _labelled(options, find(os.path.splitext(name)[0] + ".png"))


def _labelled(options, path):
    """A label map's path that says what its labels are."""
    from tfwarpgan.body.label_mappings import to_lip
    from tfwarpgan.data.pictures.files import PictureFile

    return PictureFile(path, labels=to_lip(options.data.label_mapping))


def cli():
    """The command."""
    run_command(main, Options, SynthesizeOptions, ServerOptions, reads_run=True)


if __name__ == "__main__":
    cli()
