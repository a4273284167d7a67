"""A `Studio` of trained networks, ready to answer at once."""

import dataclasses
import os

import numpy as np

from tfwarpgan.data.joints.stature import stature_of
from tfwarpgan.errors import InputError
from tfwarpgan.inference.released import released_folder
from tfwarpgan.inference.synthesizer import Pipeline
from tfwarpgan.options import Options
from tfwarpgan.photo_studio.calls import Studio
from tfwarpgan.photo_studio.gallery import gallery
from tfwarpgan.photographs import movenet
from tfwarpgan.photographs.clothes import Clothes
from tfwarpgan.photographs.drawing import BATCH, load_drawer
from tfwarpgan.photographs.estimator import Estimator, load_estimator
from tfwarpgan.photographs.labels import Checked, source
from tfwarpgan.photographs.notes import note
from tfwarpgan.photographs.options import DrawingOptions
from tfwarpgan.photographs.person import person_of

RENDERED = "people"  # --dataset of the bundled rendered people


def open_studio(options: Options, drawing: DrawingOptions, remote: Pipeline | None = None) -> Studio:
    """The `Studio`, all of whose graphs are traced.

    Args:
        options: `Options` of a run or a release.
        drawing: `DrawingOptions`.
        remote: See `drawing.load_drawer`.

    Raises:
        InputError: If networks or the estimator cannot be loaded.
    """
    size = options.data.height, options.data.width
    stature = stature_of(released_folder(drawing.weights) if drawing.weights else options.train.run_dir)
    estimator = find_estimator(drawing)
    parser = os.path.expanduser(drawing.human_parser_run_dir)
    label = source("", parser, Clothes(), options.data, size, size, drawing.weights)
    if isinstance(label, Checked):
        label = dataclasses.replace(label, tell=_keep_quiet)  # the page shows the labels
    draw = load_drawer(options, drawing.weights, remote)

    pose = next(iter(gallery(stature, size).values()))
    gray = np.full((*size, 3), 128, np.uint8)
    first = person_of(gray, pose, stature, size, "A gray picture", label)
    (drawn,) = draw(first, [pose])
    draw(first, [pose] * BATCH)
    if estimator:
        estimator.call(np.zeros((estimator.side, estimator.side, 3), np.uint8))
    return Studio(size, stature, draw, estimator, label, expectation(options), drawn.labels is not None)


def find_estimator(drawing: DrawingOptions) -> Estimator | None:
    """What finds joints: what is named, else MoveNet where it can be had; None: the user places them.

    Raises:
        InputError: If what is named cannot be loaded.
    """
    if not (drawing.pose_estimator or movenet.is_at_hand()):
        return None
    try:
        return load_estimator(drawing.pose_estimator, drawing.min_score)
    except InputError as error:
        if drawing.pose_estimator:
            raise
        note(str(error))
        return None


def _keep_quiet(sentence: str) -> None:
    del sentence


def expectation(options: Options) -> str:
    """What can be expected of networks, in a sentence."""
    size = f"{options.data.width} x {options.data.height} pixels"
    if options.data.dataset == RENDERED:
        return (
            "These weights have only ever seen rendered people: of a photograph they draw a generic person in roughly "
            f"its colors, {size}, on gray."
        )
    return f"These networks draw people like those of their training, {options.data.dataset}, {size}; others less well."
