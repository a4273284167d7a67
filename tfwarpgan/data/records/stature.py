"""The `Stature` of a prepared data set, measured on its records once and written beside them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tfwarpgan.data.joints.stature import Stature, measure, read_stature, write_stature
from tfwarpgan.errors import InputError
from tfwarpgan.typing import Pose


def stature_of_records(prepared: Any) -> Stature | None:
    """How people stand in the training pictures of a `preparation.Prepared`; None of LIP, and where no one has hips."""
    if prepared.height is None:
        return None
    stature = read_stature(prepared.folder)
    if stature is None:
        split = "train" if prepared.num_images["train"] else "test"
        stature = measure(_poses(prepared, split), (prepared.height, prepared.width))
        if stature is not None:
            with contextlib.suppress(InputError):  # where nothing can be written, it is measured each time
                write_stature(prepared.folder, stature)
    return stature


def _poses(prepared: Any, split: str) -> Iterator[Pose]:
    for record in prepared.records(split).as_numpy_iterator():
        yield from zip(record["keypoints"], record["visible"])
