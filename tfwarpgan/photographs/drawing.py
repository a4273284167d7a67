"""People of photographs drawn in poses, with all that shows how the pictures came about."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tfwarpgan.inference.loading import load_pipeline
from tfwarpgan.inference.pipeline import for_any_batch_size
from tfwarpgan.inference.synthesis import Row, stacked
from tfwarpgan.options import Options
from tfwarpgan.photographs.person import Person
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import LabelMap, Pixels, Pose

BATCH = 8


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A person in a pose.

    Attributes:
        image: What the networks drew, uint8 [height, width, 3].
        warped: What they saw, warped into the pose, alike; None of networks that do not warp.
        labels: The label map that they drew it by, uint8 [height, width]; None of networks that see none.
    """

    image: Pixels
    warped: Pixels | None = None
    labels: LabelMap | None = None


def load_drawer(options: Options, weights: str) -> Callable[[Person, Sequence[Pose]], list[Drawn]]:
    """A function that draws a person in poses, which are in pixels of `Person.image`.

    Args:
        options: `Options` of a run or a release.
        weights: Name of the release, or empty.

    Raises:
        InputError: As `inference.loading.load_pipeline`.
    """
    pipeline = load_pipeline(options, weights, for_new_images=True)
    call = for_any_batch_size(pipeline)

    def seen(person: Person, pose: Pose) -> Row:
        row = person.row(pose)
        return {key: row[key] for key in pipeline.inputs}

    def draw(person: Person, poses: Sequence[Pose]) -> list[Drawn]:
        drawn: list[Drawn] = []
        for start in range(0, len(poses), BATCH):
            outputs = call(stacked([seen(person, pose) for pose in poses[start : start + BATCH]]))
            warped, parsing = outputs.get("warped_image"), outputs.get("target_parsing")
            labels = None if parsing is None else np.argmax(parsing, axis=-1).astype(np.uint8)
            for number, image in enumerate(to_pixels(outputs["image"])):
                drawn.append(
                    Drawn(
                        image,
                        None if warped is None else to_pixels(warped[number]),
                        None if labels is None else labels[number],
                    )
                )
        return drawn

    return draw
