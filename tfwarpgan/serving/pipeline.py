"""An exported model in place of networks: batches as the networks take them, answered through its signatures.

`exporting.signatures` makes the signatures. Nothing here imports TensorFlow.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.storage.pixels import from_pixels, to_pixels
from tfwarpgan.typing import Array, Arrays, Floats

Shapes: TypeAlias = Mapping[str, Mapping[str, tuple[int | None, ...] | None]]  # by signature and input


class ExportedPipeline:
    """The pipeline behind the signatures of an export; a subclass says how they are called, by `predict`.

    Args:
        name: What the model is called in errors.
        shapes: Dictionary, signature -> dictionary, input -> shape (None where its rank is unknown).
        framing: Name of the width of `image`, in which `publish.name_dimensions` writes the framing down.

    Attributes:
        height, width: Of the model's images, in pixels.
        framing: How pictures become such images, as flags, see `data.pictures.framing.Framing.flags`.
        labels: Whether the model labels images that come without a label map.
        batch_size: Rows to draw at once.

    Raises:
        InputError: If the signatures are not those of `tfwarpgan.export`.
    """

    batch_size = 8  # the largest that an export is warmed at, unless told otherwise

    def __init__(self, name: str, shapes: Shapes, framing: str = "") -> None:
        try:
            shape: Any = shapes["serving_default"]["image"]
            _, height, width, _ = shape
            self.height, self.width = int(height), int(width)
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{name} was not exported by tfwarpgan.export; choose another model.") from None
        self.framing = framing.removeprefix("width").strip()
        self.labels = "photograph" in shapes

    def predict(self, inputs: Arrays, signature: str) -> dict[str, Array]:
        """Runs a signature: dictionary of arrays in, dictionary of arrays out."""
        raise NotImplementedError

    def draw(self, batch: Arrays) -> Floats:
        """Draws a batch.

        Args:
            batch: Dictionary of arrays: `condition_image` float32 [B, H, W, 3] in [-1, 1], `target_keypoints`,
                `target_visible` and, unless the model labels images, `condition_parsing` uint8 [B, H, W].

        Returns:
            float32 [B, H, W, 3] in [-1, 1].
        """
        inputs: dict[str, Array] = {
            "image": to_pixels(batch["condition_image"]),
            "target_keypoints": np.asarray(batch["target_keypoints"], np.float32),
            "target_visible": np.asarray(batch["target_visible"], bool),
        }
        signature = "photograph"
        if "condition_parsing" in batch:
            inputs["condition_parsing"], signature = np.asarray(batch["condition_parsing"], np.uint8), "serving_default"
        return from_pixels(self.predict(inputs, signature)["image"])
