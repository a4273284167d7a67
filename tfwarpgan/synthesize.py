"""A picture and a pose -> a picture: `python -m tfwarpgan.synthesize --weights=people --image=... --output=...`.

Or many: `--pairs=CSV --image_dir=... --annotation=CSV --output_dir=...`, a picture a row of the CSV.
"""

import dataclasses
import functools
import os
import re

from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, option, run_command, run_options

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
        "of --image where the pose has no picture.",
    )  # fmt: skip
    output: str = option("", "PNG file to write.")
    pairs: str = option("", "CSV of pairs, from,to: draws each person 'from' in the pose of 'to'.")
    image_dir: str = option("", "With --pairs: folder of the pictures; --parsing_dir is that of their parsings.")
    output_dir: str = option("", "With --pairs: folder for the pictures, <from>_2_<to>.png.")

    def __post_init__(self):
        if self.pose_size and not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", self.pose_size):
            raise InputError(f"--pose_size={self.pose_size} must be HEIGHTxWIDTH, such as 128x64.")
        if self.pairs and self.image:
            raise InputError("--image and --pairs exclude each other: give one of them.")
        if self.pairs:
            self._need("--pairs", "image_dir", "annotation", "output_dir")
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


def check(options, job):
    """Refuses what cannot work, before TensorFlow is loaded.

    Raises:
        InputError: If networks, pictures or parsings are missing.
    """
    if not job.pairs and not job.image:
        raise InputError("Nothing to synthesize: give --image and a pose, or --pairs.")
    if not job.weights and not options.train.run_dir:
        raise InputError("No networks are named: give --weights=people or the --run_dir of a trained run.")
    if job.pairs and not (options.data.parsing_dir or job.human_parser_run_dir):
        raise InputError(_NO_PARSING.format(labels="the folder of the label maps by --parsing_dir"))
    if not job.pairs and not (job.parsing or job.human_parser_run_dir):
        raise InputError(_NO_PARSING.format(labels="its label map by --parsing"))


def main(options, job):
    """Draws one picture, or those of all pairs."""
    check(options, job)
    texts = {key: value for key, value in dataclasses.asdict(job).items() if isinstance(value, str)}
    job = dataclasses.replace(job, **{key: os.path.expanduser(value) for key, value in texts.items()})
    from tfwarpgan import synthesis
    from tfwarpgan.training.runs import load_pipeline

    # What is wrong with the files is said before the networks are built.
    requests = pair_requests(options, job) if job.pairs else [one_request(options, job)]
    pipeline = load_pipeline(options, job.weights, for_new_pictures=True)
    written = synthesis.synthesize(pipeline, requests, options.data.batch_size, len(requests), bool(job.pairs))
    print(f"{written} pictures: {job.output_dir}" if job.pairs else f"Picture: {job.output}")


def one_request(options, job):
    """The request of --image, for `synthesis.synthesize`; its row is made at once."""
    from tfwarpgan import synthesis
    from tfwarpgan.data import images

    size = (options.data.height, options.data.width)
    joints, visible, source = _pose(job)
    frame = job.pose_frame or images.check_image(_pose_picture(job))
    row = synthesis.pose_row(joints, visible, frame, *size, source)
    row |= synthesis.condition_row(job.image, *size, _labelled(options, job.parsing), human_parser(job))
    return job.output, lambda: row


def _pose(job):
    """(joints, visible, where they come from) of the target pose of --image."""
    from tfwarpgan.data import keypoint_json, keypoints

    if job.pose_json:
        return *keypoint_json.read_openpose_json(job.pose_json), job.pose_json
    name = job.pose_name or os.path.basename(job.pose_image)
    annotations = keypoints.read_annotation_csv(job.annotation)
    if name not in annotations:
        raise InputError(f"{job.annotation} has no row for {name}; name one of its {len(annotations)} pictures.")
    return *annotations[name], f"{job.annotation}, {name}"


def _pose_picture(job):
    """The picture whose size is the pose's frame; a bare --pose_image is looked for beside --image too."""
    beside = os.path.join(os.path.dirname(job.image), job.pose_image)
    return beside if job.pose_image and not os.path.isfile(job.pose_image) else job.pose_image or job.image


def pair_requests(options, job):
    """The requests of --pairs, for `synthesis.synthesize`, after a check that all that they name is there."""
    from tfwarpgan import synthesis
    from tfwarpgan.data import images, keypoints
    from tfwarpgan.data.pairs import read_pairs

    size = (options.data.height, options.data.width)
    annotations, pairs = keypoints.read_annotation_csv(job.annotation), read_pairs(job.pairs)
    check_pairs(options, job, annotations, pairs)
    # Lists of pairs are sorted by person: a picture comes many times in a row.
    condition = functools.lru_cache(64)(functools.partial(synthesis.condition_row, parse=human_parser(job)))
    frame_of = functools.lru_cache(1024)(images.check_image)

    def row(name, target):
        frame = job.pose_frame or frame_of(os.path.join(job.image_dir, target))
        pose = synthesis.pose_row(*annotations[target], frame, *size, f"{job.annotation}, {target}")
        return {**condition(os.path.join(job.image_dir, name), *size, _parsing_path(options, job, name)), **pose}

    def path(name, target):
        return os.path.join(job.output_dir, synthesis.output_name(name, target))

    return [(path(*names), functools.partial(row, *names)) for _, *names in pairs]


def check_pairs(options, job, annotations, pairs):
    """Refuses a list of pairs that names what is not there, before anything is synthesized.

    Raises:
        InputError: Naming the list's row.
    """
    from tfwarpgan.data.files import inside

    for number, name, target in pairs:
        for listed in (name, target):
            try:
                inside(job.image_dir, listed)
            except InputError as error:
                raise InputError(f"{job.pairs}, row {number}: {error}") from None
        if target not in annotations:
            raise InputError(f"{job.pairs}, row {number}: {target} has no row in {job.annotation}.")
        parsing = _parsing_path(options, job, name)
        needed = [os.path.join(job.image_dir, name), *([parsing] if parsing else [])]
        needed += [] if job.pose_frame else [os.path.join(job.image_dir, target)]
        for path in needed:
            if not os.path.isfile(path):
                raise InputError(f"{job.pairs}, row {number}: {path} does not exist; add the file or remove the row.")


def _parsing_path(options, job, name):
    if job.human_parser_run_dir:
        return ""
    path = os.path.join(os.path.expanduser(options.data.parsing_dir), os.path.splitext(name)[0] + ".png")
    return _labelled(options, path)


def _labelled(options, path):
    """A label map's path that says what its labels are."""
    from tfwarpgan.data.files import PictureFile
    from tfwarpgan.data.label_mappings import to_lip

    return PictureFile(path, labels=to_lip(options.data.label_mapping))


def human_parser(job):
    """The labelling function of --human_parser_run_dir, or None where none is needed."""
    if job.parsing or not job.human_parser_run_dir:
        return None
    import tensorflow as tf

    from tfwarpgan import synthesis
    from tfwarpgan.annotate import load_parse

    options = run_options(job.human_parser_run_dir)
    parse = load_parse(options)
    # The human parser's precision is not the generator's.
    tf.keras.mixed_precision.set_global_policy("float32")
    return synthesis.label_parser(parse, options.data.height, options.data.width)


def cli():
    """The command."""
    run_command(main, Options, SynthesizeOptions, reads_run=True)


if __name__ == "__main__":
    cli()
