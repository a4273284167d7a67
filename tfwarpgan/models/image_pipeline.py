"""What all systems have in common once they are built: batches in, images out."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.options import DataOptions, Options
from tfwarpgan.typing import Batch, Image, Tensor, Tensors


class ImagePipeline(tf.Module):
    """A system, called on a batch of the data pipeline.

    A subclass says what its networks see and what becomes of that; the steps are apart for its training.

    Args:
        networks: Its networks, by their stages.
        options: `Options`.

    Attributes:
        inputs: Names of what it takes of a batch.
        also_fake: Names of those conditions that the discriminator learns to tell from real images too.
        made: Whose image the networks are trained to make, that of the "target" or of the "condition".
    """

    also_fake: tuple[str, ...] = ()
    made = "target"

    def __init__(self, networks: Mapping[str, Any], options: Options) -> None:
        super().__init__()
        self._place(networks, options.data, options.networks.inputs)

    def _place(self, networks: Mapping[str, Any], data_options: DataOptions, inputs: tuple[str, ...]) -> None:
        self.networks, self.data_options, self.inputs = networks, data_options, inputs
        self.height, self.width = data_options.height, data_options.width

    def conditions(self, batch: Batch) -> dict[str, Tensor]:
        """What the networks see of a batch; here the condition image and the target pose, see `dense_inputs`."""
        known = dense_inputs({key: batch[key] for key in self.inputs}, self.data_options)
        return {key: known[key] for key in ("condition_image", "target_pose")}

    def practice(self, batch: Batch) -> tuple[dict[str, Tensor], Image]:
        """(what the networks see while they are trained, the image that they are to make), a condition in its pose."""
        own = {f"target_{name}": batch[f"condition_{name}"] for name in ("keypoints", "visible")}
        return self.conditions({**batch, **own} if self.made == "condition" else batch), batch[f"{self.made}_image"]

    def start(self, draw: Callable[[], Batch]) -> None:
        """What the networks start from, found from a batch of data, eagerly; here nothing."""

    def pixel_weights(self, batch: Batch) -> Tensor | None:
        """Weights of the pixels in the pixel loss, [B, H, W]; None: those of the options."""
        del batch
        return None

    def generate(self, conditions: Tensors, training: bool = False, seed: Tensor | None = None) -> Tensors:
        """The outputs of the networks.

        Args:
            conditions: Of `conditions` or `practice`.
            training: Whether they are trained.
            seed: int32 [2], for what is drawn at random in training.

        Returns:
            Dictionary of `image` [B, H, W, 3], and what else they give.
        """
        (network,) = self.networks.values()
        return network(conditions if seed is None else {**conditions, "seed": seed}, training=training)

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Synthesizes a batch.

        Args:
            batch: Dictionary of `inputs`, as the data pipeline gives them.

        Returns:
            Dictionary of `image` float32 [B, H, W, 3] in [-1, 1].
        """
        return {"image": tf.clip_by_value(self.generate(self.conditions(batch))["image"], -1.0, 1.0)}
