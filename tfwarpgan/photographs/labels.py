"""Where the label map of a photograph comes from: a file, a human parser, or `drawn_labels`."""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from PIL import Image

from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.inference.released import released_parser
from tfwarpgan.options import DataOptions, Options
from tfwarpgan.photographs.clothes import Clothes as Clothes
from tfwarpgan.photographs.drawn_labels import draw_labels
from tfwarpgan.photographs.notes import note
from tfwarpgan.photographs.sides import with_sides
from tfwarpgan.storage.pixels import from_pixels
from tfwarpgan.typing import LabelMap, Pixels, Pose, Size

# Least overlap (IoU) of a silhouette with the figure that the joints draw: 98 of 100 rendered people are above it, and
# 9 of 10 photographs, of which a parser that has never seen one makes fragments, are below.
AGREEING = 0.65


@dataclasses.dataclass(frozen=True)
class Checked:
    """A human parser that is believed where it shows the figure that the joints draw, but for right and left, which
    they know better; else their labels are taken.

    Attributes:
        parse: Function of the model's image, uint8 [height, width, 3], that gives its label map, uint8 [height, width].
    """

    parse: Callable[[Pixels], LabelMap]

    def label(self, image: Pixels, pose: Pose) -> LabelMap:
        """The label map of the model's image; the pose is in its pixels."""
        found, drawn = self.parse(image), draw_labels(image, *pose, Clothes())
        both, either = np.sum((found > 0) & (drawn > 0)), np.sum((found > 0) | (drawn > 0))
        if both >= AGREEING * either:
            return with_sides(found, *pose)
        note("the released human parser does not make out the person; labels are drawn from the joints.")
        return drawn


LabelSource: TypeAlias = LabelMap | Callable[[Pixels], LabelMap] | Checked | Clothes  # as `person.person_of` takes it


def source(
    parsing: str, run_dir: str, clothes: Clothes, data_options: DataOptions, size: Size, used: tuple[int, ...],
    weights: str = "",
) -> LabelSource:  # fmt: skip
    """Where labels come from, the first of these that is there: the file `parsing`; the human parser of a run; what is
    known of the clothes; the human parser that is released with weights, `Checked`; the joints alone.

    Args:
        parsing, data_options, size, used: See `read_labels`; an empty name: there is no file.
        run_dir, weights: See `load_parser`; empty: there is no human parser.
        clothes: `Clothes`.

    Raises:
        InputError: As these.
    """
    if parsing:
        return read_labels(parsing, data_options, size, used)
    if run_dir:
        return load_parser(run_dir, data_options)
    if released_parser(weights) and clothes == Clothes():
        return Checked(load_parser("", data_options, weights))
    return clothes


def read_labels(path: str, data_options: DataOptions, size: Size, used: tuple[int, ...]) -> LabelMap:
    """The label map of a photograph from a file.

    Args:
        path: PNG of the photograph's size.
        data_options: `DataOptions`, which say what its labels mean.
        size: (height, width) of the photograph in its file.
        used: (height, width) of what was read of it, which the label map gets too.

    Raises:
        InputError: If it is missing or broken, or has another size.
    """
    file = ImageFile(path, None, to_lip(data_options.label_mapping), data_options.ignore_label)
    labels = read_label_map(file, size)
    if labels.shape == tuple(used[:2]):
        return labels
    return np.asarray(Image.fromarray(labels).resize((used[1], used[0]), Image.Resampling.NEAREST))


def load_parser(run_dir: str, data_options: DataOptions, weights: str = "") -> Callable[[Pixels], LabelMap]:
    """The human parser of a run, else of a release, as a function of the model's image, uint8 [height, width, 3].

    Raises:
        InputError: If the run holds no trained human parser.
    """
    from tfwarpgan.inference.loading import load_labeler  # TensorFlow

    parse = load_labeler(Options(data=data_options), run_dir, weights)
    assert parse
    return lambda image: np.argmax(parse(from_pixels(image)[np.newaxis])[0], axis=-1).astype(np.uint8)
