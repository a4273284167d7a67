"""Networks of this process as a pipeline: batches of arrays in, arrays out, with or without a human parser."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfwarpgan.typing import Array, Arrays, Batch, Image, Tensor


class LocalPipeline:
    """Networks of this process, called as those of an export are: arrays in, arrays out.

    Args:
        pipeline: `ImagePipeline`, or what has its attributes `height`, `width` and `inputs`: batch -> dictionary with
            `image` [B, H, W, 3] in [-1, 1].
        parse: Human parser: float32 [B, H, W, 3] in [-1, 1] -> scores of the labels [B, H, W, 20]; or None.
        framing: How pictures become its images, as flags, see `Framing.flags`.

    Attributes:
        height, width: Of the model's images, in pixels.
        inputs: Names of what it takes of a batch.
        labels: Whether images need no label map: the human parser labels them, or the networks see no parsing.
        batch_size: Rows to draw at once.
    """

    batch_size = 8

    def __init__(self, pipeline: Any, parse: Callable[[Image], Tensor] | None = None, framing: str = "") -> None:
        self.height, self.width, self.inputs = pipeline.height, pipeline.width, tuple(pipeline.inputs)
        self.labels = parse is not None or "condition_parsing" not in self.inputs
        self.framing, self._parses = framing, parse is not None
        self._draw = for_any_batch_size(lambda batch: pipeline(batch)["image"])
        self._label_and_draw = for_any_batch_size(lambda batch: with_human_parser(pipeline, parse)(batch)["image"])

    def draw(self, batch: Arrays) -> Array:
        """Draws a batch of arrays: float32 [B, H, W, 3] in [-1, 1]; see `ExportedPipeline.draw`."""
        labeled = "condition_parsing" in batch or not self._parses
        return (self._draw if labeled else self._label_and_draw)(batch).numpy()


def with_human_parser(pipeline: Any, parse: Any) -> Callable[[Batch], Any]:
    """A pipeline for images without a label map.

    Args:
        pipeline: See `LocalPipeline`.
        parse: Human parser: float32 [B, H, W, 3] in [-1, 1] -> scores of the labels [B, H, W, 20].
    """

    def call(batch: Batch) -> Any:
        labels = tf.cast(tf.argmax(parse(batch["condition_image"]), axis=-1), tf.uint8)
        return pipeline({**batch, "condition_parsing": labels})

    return call


def for_any_batch_size(function: Callable[[Batch], Any]) -> Callable[[Batch], Any]:
    """A function of a batch (dictionary of tensors) as one graph, which a short last batch does not trace again."""
    graphs: list[Any] = []

    def call(batch: Batch) -> Any:
        if not graphs:
            specs = {key: tf.TensorSpec([None, *value.shape[1:]], value.dtype, key) for key, value in batch.items()}
            graphs.append(tf.function(function, input_signature=[specs], autograph=False))
        return graphs[0](batch)

    return call
