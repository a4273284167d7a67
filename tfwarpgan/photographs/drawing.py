"""People of photographs drawn in poses, with all that shows how the pictures came about."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.inference.synthesis import stacked
from tfwarpgan.inference.synthesizer import Pipeline
from tfwarpgan.options import Options
from tfwarpgan.photographs.person import Person
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import Array, LabelMap, Pixels, Pose

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


Drawer: TypeAlias = Callable[[Person, Sequence[Pose]], list[Drawn]]


def load_drawer(options: Options, weights: str, remote: Pipeline | None = None) -> Drawer:
    """A function that draws a person in poses, which are in pixels of `Person.image`.

    Args:
        options: `Options` of a run or a release.
        weights: Name of the release, or empty.
        remote: Networks elsewhere that draw instead, an export of that run or release; they give the image alone.

    Raises:
        InputError: As `inference.loading.load_pipeline`; or if the networks elsewhere are not those of the options.
    """
    call = _remote_call(options, remote) if remote else _local_call(options, weights)
    batch = min(BATCH, remote.batch_size) if remote else BATCH

    def draw(person: Person, poses: Sequence[Pose]) -> list[Drawn]:
        drawn: list[Drawn] = []
        for start in range(0, len(poses), batch):
            outputs = call(stacked([person.row(pose) for pose in poses[start : start + batch]]))
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


def _local_call(options: Options, weights: str) -> Callable[[dict[str, Array]], Mapping[str, Any]]:
    from tfwarpgan.inference.loading import load_pipeline  # TensorFlow, which networks elsewhere do not need
    from tfwarpgan.inference.pipeline import for_any_batch_size

    pipeline = load_pipeline(options, weights, for_new_images=True)
    call = for_any_batch_size(pipeline)
    return lambda batch: call({key: batch[key] for key in pipeline.inputs})


def _remote_call(options: Options, remote: Pipeline) -> Callable[[dict[str, Array]], Mapping[str, Any]]:
    size, own = (remote.height, remote.width), (options.data.height, options.data.width)
    if size != own:
        raise InputError(
            f"The server draws pictures of {size[1]} x {size[0]} pixels, the weights or the run that are named beside "
            f"--server have {own[1]} x {own[0]}; name those that it serves."
        )
    return lambda batch: {"image": remote.draw(batch)}
