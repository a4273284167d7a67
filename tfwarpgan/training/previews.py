"""What each stage shows of itself while it trains: a picture grid, and a score, always of the same test pictures."""

import functools

import numpy as np

from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.evaluation.human_parser import evaluate_human_parser
from tfwarpgan.models.human_parser import label_probabilities
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.models.warping_gan import WarpingGAN
from tfwarpgan.viewing import drawing

ROWS = 8
SCORED_BATCHES = 64  # a look, not the evaluation


def painter(stage, trainer, dataset, options):
    """A function without arguments that draws the stage's present state.

    Args:
        stage: Name of the stage.
        trainer: Its trainer.
        dataset: Batches of the test split; the first is drawn.
        options: `Options`.

    Returns:
        Function -> uint8 [H, W, 3].
    """
    batch = next(iter(dataset))
    batch = {key: value[:ROWS] for key, value in batch.items()}
    columns = {
        "human_parser": _human_parser,
        "pose_guided_parser": _pose_guided_parser,
        "geometric_matcher": _geometric_matcher,
        "warping_generator": _warping_generator,
    }[stage]
    return lambda: drawing.grid(columns(trainer, batch, options), scale=max(1, 192 // options.data.height))


def scorer(stage, trainer, dataset):
    """A function without arguments that gives the stage's present scores, by name.

    The human parser's is its mean IoU; the other stages measure themselves on the training pairs.

    Args:
        stage: Name of the stage.
        trainer: Its trainer.
        dataset: Batches of the test split; the first `SCORED_BATCHES` are scored.
    """
    if stage != "human_parser":
        return dict
    parse = functools.partial(label_probabilities, trainer.networks[stage], average_flip=False)
    batches = dataset.take(SCORED_BATCHES)

    def score():
        found = evaluate_human_parser(parse, batches, progress=False)
        return {"validation_mean_iou": found["mean_iou"], "validation_pixel_accuracy": found["pixel_accuracy"]}

    return score


def _labels(scores):
    return drawing.colour_parsing(np.argmax(scores, axis=-1))


def _human_parser(trainer, batch, options):
    del options
    logits = trainer.networks["human_parser"]({"image": batch["image"]})["parsing_logits"]
    labels = np.asarray(batch["parsing"])
    known = np.where(labels < NUM_LABELS, labels, 0)  # what is ignored is shown as background
    return {
        "picture": drawing.to_uint8(batch["image"]),
        "parsing": _labels(logits),
        "labels": drawing.colour_parsing(known),
    }


def _pose_guided_parser(trainer, batch, options):
    logits = trainer.networks["pose_guided_parser"](dense_inputs(batch, options.data))["parsing_logits"]
    return {
        "condition": drawing.to_uint8(batch["condition_image"]),
        "condition parsing": drawing.colour_parsing(batch["condition_parsing"]),
        "target pose": drawing.skeletons(batch),
        "synthesized parsing": _labels(logits),
        "target parsing": drawing.colour_parsing(batch["target_parsing"]),
    }


def _geometric_matcher(trainer, batch, options):
    pipeline = WarpingGAN(trainer.networks, options.data, "ground_truth")
    warped = pipeline.warped(pipeline.conditions(batch))
    return {
        "condition": drawing.to_uint8(batch["condition_image"]),
        "condition parsing": drawing.colour_parsing(batch["condition_parsing"]),
        "warped parsing": _labels(warped["warped_parsing"]),
        "target parsing": drawing.colour_parsing(batch["target_parsing"]),
        "warped condition": drawing.to_uint8(warped["warped_image"]),
        "target": drawing.to_uint8(batch["target_image"]),
    }


def _warping_generator(trainer, batch, options):
    del options
    return drawing.sample_columns(batch, trainer.pipeline(batch))
