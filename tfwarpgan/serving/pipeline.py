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

# What signatures take beside the image.
TYPES: Mapping[str, type] = {
    "condition_parsing": np.uint8,
    "condition_keypoints": np.float32,
    "condition_visible": np.bool_,
    "target_keypoints": np.float32,
    "target_visible": np.bool_,
}


class ExportedPipeline:
    """The pipeline behind the signatures of an export; a subclass says how they are called, by `predict`.

    Args:
        name: What the model is called in errors.
        shapes: Dictionary, signature -> dictionary, input -> shape (None where its rank is unknown).
        framing: Name of the width of `image`, in which `publish.name_dimensions` writes the framing down.

    Attributes:
        height, width: Of the model's images, in pixels.
        framing: How pictures become such images, as flags, see `data.pictures.framing.Framing.flags`.
        inputs: Names of what the model takes of a batch.
        labels: Whether images need no label map: the model labels them, or sees none.
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
        given = [name for name in TYPES if name in shapes["serving_default"]]
        self.inputs = ("condition_image", *given)
        self.labels = "photograph" in shapes or "condition_parsing" not in given

    def predict(self, inputs: Arrays, signature: str) -> dict[str, Array]:
        """Runs a signature: dictionary of arrays in, dictionary of arrays out."""
        raise NotImplementedError

    def draw(self, batch: Arrays) -> Floats:
        """Draws a batch.

        Args:
            batch: Dictionary of arrays: `inputs`, of which `condition_image` is float32 [B, H, W, 3] in [-1, 1];
                `condition_parsing` may be left out where the model labels images.

        Returns:
            float32 [B, H, W, 3] in [-1, 1].
        """
        signature = "serving_default"
        inputs: dict[str, Array] = {"image": to_pixels(batch["condition_image"])}
        for name in self.inputs[1:]:
            if name in batch:
                inputs[name] = np.asarray(batch[name], TYPES[name])
            elif name == "condition_parsing":
                signature = "photograph"
        return from_pixels(self.predict(inputs, signature)["image"])
