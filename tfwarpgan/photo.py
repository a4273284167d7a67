"""Draws the person on a photograph in the pose of another one: any photograph, cropped and labeled on the way.

    python -m tfwarpgan.photo --weights=people --image=me.jpg --pose_from=dancer.jpg --output=result.png

With --poses, a folder of photographs or JSON files of joints in the order of their names, or a video, it draws a
sequence: .webp, .gif or .png (animated), or .mp4. What the networks saw of the photograph, and what they made of it,
--steps=DIR shows. With --server=host:port a server draws, which serves an export of the same weights or run.
"""

import dataclasses
import functools
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import FINISHING, Options, option
from tfwarpgan.photographs.notes import note
from tfwarpgan.photographs.options import DrawingOptions, check_networks
from tfwarpgan.serving.remote import ServerOptions
from tfwarpgan.storage.writing import check_place

if TYPE_CHECKING:
    from tfwarpgan.photographs.estimator import Estimator
    from tfwarpgan.photographs.person import Person
    from tfwarpgan.typing import Pose

OWN_NETWORKS = ServerOptions()


@dataclasses.dataclass(frozen=True)
class PhotoOptions(DrawingOptions):
    """Whose photograph, which pose, and where the picture goes."""

    image: str = option("", "Photograph of the person.")
    pose_from: str = option("", "Photograph of somebody in the wanted pose.")
    pose_json: str = option("", "Wanted pose: a JSON file of OpenPose.")
    pose_name: str = option("", "Wanted pose: name of a row in --annotation.")
    annotation: str = option("", "CSV of joints, name:keypoints_y:keypoints_x, with the row of --pose_name.")
    poses: str = option(
        "", "Folder of photographs or JSON files of joints, each a frame of a sequence; or a video or animation."
    )
    output: str = option("", "PNG file to write; of a sequence .webp, .gif, .png or .mp4.")
    joints: str = option("", "Joints of the person, where known: JSON of OpenPose, or CSV with a row for --image.")
    box: str = option("", "Where the person is on --image, X,Y,WIDTH,HEIGHT in pixels; default: looked for.")
    fit_pose: str = option(
        "person", "'person': the pose is scaled to the person and put where the person stands; 'none': it is where "
        "it is on its own picture.", choices=("person", "none"),
    )  # fmt: skip
    parsing: str = option("", "Label map of --image, a PNG of the same size; default: it is made.")
    sleeves: str = option("auto", "Drawn labels: how far sleeves reach; 'auto': as the colors say.",
                          choices=("auto", "long", "short", "none"))  # fmt: skip
    legs: str = option("auto", "Drawn labels: what the legs wear; 'auto': as the colors say.",
                       choices=("auto", "trousers", "shorts", "skirt", "dress"))  # fmt: skip
    paste: bool = option(False, "Put the new person into the photograph, in place of the old one (experimental).")
    steps: str = option("", "Folder for pictures of all steps: joints, crop, labels, pose, warp, parsing, result.")
    frames_per_second: float = option(
        12.0, "Of a sequence: how many are shown, and taken of a video.", minimum=1, maximum=60
    )

    def __post_init__(self) -> None:
        if self.box and not re.fullmatch(r"\d{1,6},\d{1,6},[1-9]\d{0,5},[1-9]\d{0,5}", self.box):
            raise InputError(f"--box={self.box} must be X,Y,WIDTH,HEIGHT in pixels, such as 100,50,400,900.")
        if self.box and self.joints:
            raise InputError("Give either --box or --joints, not both: the box is where joints are looked for.")
        if bool(self.pose_name) != bool(self.annotation):
            raise InputError("--pose_name and --annotation go together: the name of a row, and the CSV that has it.")
        if self.parsing and self.human_parser_run_dir:
            raise InputError("Give either --parsing or --human_parser_run_dir, not both.")
        if (self.sleeves, self.legs) != ("auto", "auto") and (self.parsing or self.human_parser_run_dir):
            raise InputError("--sleeves and --legs are of labels that are drawn from joints; leave them out.")


def check(options: Options, job: PhotoOptions, server: ServerOptions = OWN_NETWORKS) -> None:
    """Refuses what cannot work, before TensorFlow is loaded.

    Raises:
        InputError: If a flag is missing, or two do not go together.
    """
    check_networks(options, job, server.server)
    for name in ("parsing", "human_parser_run_dir"):
        if getattr(job, name) and "condition_parsing" not in options.networks.inputs:
            raise InputError(f"--{name} has no effect: these networks see no parsing; leave it out.")
    for name in ("image", "output"):
        if not getattr(job, name):
            raise InputError(f"--{name} is missing: photo needs --image, a pose and --output.")
    given = [name for name in ("pose_from", "pose_json", "pose_name", "poses") if getattr(job, name)]
    if len(given) != 1:
        raise InputError(
            f"Give exactly one of --pose_from, --pose_json, --pose_name and --poses; {len(given)} are given."
        )
    if job.poses:
        from tfwarpgan.photographs.animation import check_animation

        check_animation(job.output)
    elif not job.output.lower().endswith(".png"):
        raise InputError(f"--output={job.output} must end in .png.")
    check_place(job.output)


def main(options: Options, job: PhotoOptions, server: ServerOptions = OWN_NETWORKS) -> None:
    """Draws one picture, or a sequence."""
    check(options, job, server)
    texts = {key: value for key, value in dataclasses.asdict(job).items() if isinstance(value, str)}
    places: dict[str, Any] = {key: os.path.expanduser(value) for key, value in texts.items()}
    job = dataclasses.replace(job, **places)
    from tfwarpgan.photographs.estimator import load_estimator

    # What is wrong with the files is said before the networks are built.
    estimator = functools.cache(functools.partial(load_estimator, job.pose_estimator, job.min_score))
    person = read_person(options, job, estimator)
    targets = read_targets(options, job, person, estimator)
    from tfwarpgan.photographs import animation, pasting, steps
    from tfwarpgan.photographs.drawing import load_drawer
    from tfwarpgan.storage.writing import save_png

    remote = server.connect() if server.server else None
    drawn = load_drawer(options, job.weights, remote)(person, targets)
    if job.steps:
        steps.write_steps(job.steps, person, targets[0], drawn[0])
    pictures = pasting.paste(person, drawn) if job.paste else [each.image for each in drawn]
    if job.poses:
        animation.save_animation(job.output, pictures, job.frames_per_second)
        print(f"{len(pictures)} frames: {job.output}")
    else:
        save_png(job.output, pictures[0])
        print(f"Picture: {job.output}")


def read_person(options: Options, job: PhotoOptions, estimator: "Callable[[], Estimator]") -> "Person":
    """The person on --image, cropped and labeled.

    Raises:
        InputError: If nobody is found, or a file is wrong.
    """
    from tfwarpgan.data.joints.stature import stature_of
    from tfwarpgan.data.pictures.files import box
    from tfwarpgan.data.pictures.images import read_photograph
    from tfwarpgan.inference.released import released_folder
    from tfwarpgan.photographs import framing, labels, person, poses

    stature = stature_of(released_folder(job.weights) if job.weights else options.train.run_dir)
    pixels, size = read_photograph(job.image)
    pose = poses.person_pose(job.image, pixels, size, job.joints, box(job.box), estimator)
    clothes = labels.Clothes(job.sleeves, job.legs)
    used = pixels.shape[:2]
    labeled = labels.source(job.parsing, job.human_parser_run_dir, clothes, options.data, size, used, job.weights)
    if isinstance(labeled, labels.Clothes) and "condition_parsing" in options.networks.inputs:
        note("labels are drawn from the joints; a human parser's are better: --parsing or --human_parser_run_dir.")
    found = person.person_of(pixels, pose, stature, (options.data.height, options.data.width), job.image, labeled)
    for sentence in framing.remarks(pose, stature):
        note(sentence)
    return found


def read_targets(
    options: Options, job: PhotoOptions, person: "Person", estimator: "Callable[[], Estimator]"
) -> "list[Pose]":
    """The wanted poses, in pixels of the model's image.

    Raises:
        InputError: If a pose cannot be read, shows nobody or cannot be fitted.
    """
    from tfwarpgan.photographs import frames, poses, sequence
    from tfwarpgan.photographs.retargeting import retarget, shows_legs

    name = job.pose_from or job.pose_json or job.pose_name or job.poses
    if job.poses:
        framed = sequence.read_frames(frames.list_frames(name, job.frames_per_second), estimator, note)
    else:
        framed = [poses.read_joints(job.annotation, name) if job.pose_name else poses.find_pose(name, estimator)]
    if job.fit_pose == "none":
        return [poses.as_it_stands(pose, size, options.data, name) for pose, size in framed]
    if not all(shows_legs(visible) for (_, visible), _ in framed):
        note(f"{name}: the pose shows no knees and feet; those of the photograph take their place.")
    return retarget([pose for pose, _ in framed], person.model_pose, name)


def cli() -> None:
    """The command."""
    takes = ("run_dir", "checkpoint", "label_mapping", "ignore_label", *FINISHING)
    run_command(main, Options, PhotoOptions, ServerOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
