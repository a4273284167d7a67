"""The whole pipeline, from an image and a pose to an image: stage I, the matcher and the warping generator."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tfwarpgan.body import joints, labels
from tfwarpgan.layers.color_transfer import transfer_colors
from tfwarpgan.layers.label_maps import binomial_filter, mirror, one_hot
from tfwarpgan.layers.sharpening import sharpen
from tfwarpgan.layers.transforms import IDENTITY_AFFINE, affine_grid, sample
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Batch, Grid, Image, Logits, Tensor, Tensors

KEYS = ("condition_image", "condition_parsing", "target_parsing", "target_pose", "grid")
# What becomes of the channels of the networks' inputs in a mirror.
MIRRORED = {
    "condition_parsing": labels.FLIP_PERMUTATION,
    "target_parsing": labels.FLIP_PERMUTATION,
    "target_pose": joints.FLIP_PERMUTATION,
}
# What lies in the frame of the image that is made.
MOVED = ("target_parsing", "target_pose", "grid")
# By how many pixels (down, right) it is moved: convolutions of stride 2 draw a moved person a little differently.
SHIFTS = {1: ((0, 0),), 2: ((0, 0), (3, 3)), 4: ((0, 0), (1, 1), (2, 2), (3, 3))}


class WarpingGAN(ImagePipeline):
    """The three trained networks, called on a batch of the data pipeline.

    Args:
        networks: Dictionary of `pose_guided_parser`, `geometric_matcher` and `warping_generator`. Without the parser
            the target parsing is the batch's own, without the matcher the grid moves nothing.
        data_options: `DataOptions`.
        parsing_source: "synthesized" (stage I's) or "ground_truth" (the batch's own target parsing).
        averaged: What is averaged with that of the mirrored inputs, once it is trained: of "parsing", stage I's, and
            "image".
        keys: The generator's inputs; what it does not see is not computed.
        transfers_colors: Whether the parts of the person get their mean colors from the condition image.
        shifts: Number of `SHIFTS` whose images are averaged.
        sharpening: Share of its detail that is added to the image, see `sharpen`.
    """

    def __init__(
        self,
        networks: Mapping[str, Any],
        data_options: DataOptions,
        parsing_source: str = "synthesized",
        averaged: Collection[str] = (),
        keys: Collection[str] = KEYS,
        transfers_colors: bool = False,
        shifts: int = 1,
        sharpening: float = 0.0,
    ) -> None:
        tf.Module.__init__(self)
        seen = (key for key in ("condition_image", "condition_parsing") if key in keys)
        self._place(networks, data_options, (*seen, "target_keypoints", "target_visible"))
        self.parser: Any = networks.get("pose_guided_parser")
        self.matcher: Any = networks.get("geometric_matcher")
        self.generator: Any = networks.get("warping_generator")
        self.parsing_source, self.averaged, self.keys = parsing_source, frozenset(averaged), frozenset(keys)
        self.transfers_colors, self.shifts, self.sharpening = transfers_colors, SHIFTS[shifts], sharpening

    def conditions(self, batch: Batch, averages: bool = False) -> dict[str, Tensor]:
        """All that the generator needs, from the stages before it; nothing here is trained with the generator.

        Args:
            batch: See `dense_inputs`.
            averages: Whether stage I's parsing is averaged if that is asked for; training does without, in less time.

        Returns:
            The dictionary that the generator takes, what the matcher gives and (from stage I) `parsing_logits`
            [B, H, W, 20].
        """
        inputs = dense_inputs(batch, self.data_options)
        if "target_parsing" not in self.keys:
            inputs = {key: value for key, value in inputs.items() if key in self.keys}
        elif self.parsing_source == "synthesized":
            logits = self._parsing_logits(inputs, averages and "parsing" in self.averaged)
            inputs = {**inputs, "parsing_logits": logits, "target_parsing": one_hot(tf.argmax(logits, axis=-1))}
        if "grid" in self.keys:
            inputs = {
                **inputs,
                **(self.matcher(inputs) if self.matcher is not None else {"grid": self._identity_grid(inputs)}),
            }
        return {key: tf.stop_gradient(value) for key, value in inputs.items()}

    def _identity_grid(self, inputs: Tensors) -> Grid:
        """The grid that leaves an image as it is, [B, H, W, 2]."""
        identity = tf.tile(tf.constant([IDENTITY_AFFINE]), [tf.shape(inputs["condition_image"])[0], 1])
        return affine_grid(identity, self.height, self.width)

    def _parsing_logits(self, inputs: Tensors, averages: bool) -> Logits:
        """Stage I's logits, without the single pixels that its decoder dots a parsing with."""
        logits = self.parser(inputs)["parsing_logits"]
        if averages:
            mirrored = self.parser(_mirrored(inputs, self.parser.keys))
            mirrored_logits = mirror(mirrored["parsing_logits"], MIRRORED["condition_parsing"])
            logits = (logits + mirrored_logits) / 2.0
        return binomial_filter(logits)

    def generate(self, conditions: Tensors, training: bool = False, seed: Tensor | None = None) -> Tensors:
        """The outputs of the generator, which draws nothing at random."""
        return self.generator(conditions, training=training)

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Synthesizes a batch.

        Args:
            batch: See `dense_inputs`; the target parsing is read only as the ground truth.

        Returns:
            Dictionary of `image` [B, H, W, 3] in [-1, 1], `parsing_logits` [B, H, W, 20] (stage I's), `target_parsing`
            one-hot (what the generator got), `grid` [B, H, W, 2], `warped_image` [B, H, W, 3] and `warped_parsing`
            [B, H, W, 20] (the condition's, sampled by the grid) and the generator's gates by name; without those that
            the generator does not use.
        """
        conditions = self.conditions(batch, averages=True)
        synthesized = self._averaged_outputs(conditions)
        image = synthesized["image"]
        if self.sharpening:
            image = sharpen(image, conditions["target_parsing"], self.sharpening)
        if self.transfers_colors:
            image = transfer_colors(
                image, conditions["target_parsing"], conditions["condition_image"], conditions["condition_parsing"]
            )
        kept: dict[str, Tensor] = {
            key: conditions[key] for key in ("parsing_logits", "target_parsing", "grid") if key in conditions
        }
        gates = {name: value for name, value in synthesized.items() if name.startswith("gate")}
        warped = self.warped(conditions) if "grid" in conditions else {}
        return {"image": image, **gates, **warped, **kept}

    def _averaged_outputs(self, conditions: Tensors) -> Tensors:
        """The generator's outputs, with its image averaged over moved and mirrored conditions, all drawn as a batch."""
        moved = [_moved(conditions, self.keys, shift) for shift in self.shifts]
        mirrored = [_mirrored(view, self.keys) for view in moved] if "image" in self.averaged else []
        views = moved + mirrored
        if len(views) == 1:
            return self.generate(conditions)
        together = self.generate({key: tf.concat([view[key] for view in views], axis=0) for key in self.keys})
        images = tf.split(together["image"], len(views))
        images[len(moved) :] = map(mirror, images[len(moved) :])
        back = [_back(image, shift) for image, shift in zip(images, 2 * self.shifts)]
        counts = [_back(tf.ones_like(image), shift) for image, shift in zip(images, 2 * self.shifts)]
        first = {name: tf.split(value, len(views))[0] for name, value in together.items()}
        return {**first, "image": tf.add_n(back) / tf.add_n(counts)}

    def warped(self, conditions: Tensors) -> dict[str, Tensor]:
        """The condition image and parsing, sampled by the grid: `warped_image` and `warped_parsing`."""
        grid = conditions["grid"]
        return {
            "warped_image": sample(conditions["condition_image"], grid),
            "warped_parsing": sample(conditions["condition_parsing"], grid),
        }


def _moved(inputs: Tensors, keys: Collection[str], shift: Sequence[int]) -> dict[str, Tensor]:
    """Those of the networks' inputs with the target moved down and right; the border is mirrored."""
    pads = [[0, 0], [shift[0], 0], [shift[1], 0], [0, 0]]
    moved = {key: tf.pad(inputs[key], pads, "SYMMETRIC") for key in MOVED if key in keys}
    height, width = inputs["condition_image"].shape[1:3]
    return {key: moved[key][:, :height, :width] if key in moved else inputs[key] for key in keys}


def _back(images: Image, shift: Sequence[int]) -> Image:
    """Images moved up and left; 0 where there is nothing."""
    down, right = shift
    return tf.pad(images[:, down:, right:], [[0, 0], [0, down], [0, right], [0, 0]])


def _mirrored(inputs: Tensors, keys: Collection[str]) -> dict[str, Tensor]:
    """Those of the networks' inputs with right and left exchanged; a grid then says where its mirrored image has x."""
    mirrored = {key: mirror(inputs[key], MIRRORED.get(key)) for key in keys}
    if "grid" in mirrored:
        mirrored["grid"] *= [-1.0, 1.0]
    return mirrored
