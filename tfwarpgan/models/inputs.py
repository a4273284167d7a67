"""From a batch of the data pipeline to what the networks take: one-hot parsings and pose maps, made in the graph."""

from tfwarpgan.layers.label_maps import one_hot
from tfwarpgan.layers.pose_maps import pose_map
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Batch, PoseMap, Tensor


def pose_of(batch: Batch, side: str, data_options: DataOptions) -> PoseMap:
    """The pose of a batch's "condition" or "target" as the options draw it, [B, H, W, 18]."""
    return pose_map(
        batch[f"{side}_keypoints"], batch[f"{side}_visible"], data_options.height, data_options.width,
        kind=data_options.pose_map, radius=data_options.pose_radius, sigma=data_options.pose_sigma,
    )  # fmt: skip


def dense_inputs(batch: Batch, data_options: DataOptions) -> dict[str, Tensor]:
    """The inputs that every stage shares.

    Args:
        batch: Dictionary of `condition_image` float32 [B, H, W, 3], `condition_parsing` uint8 [B, H, W],
            `target_keypoints` float32 [B, 18, 2] as (y, x) in pixels, `target_visible` bool [B, 18] and, where it
            is known, `target_parsing` uint8 [B, H, W].
        data_options: `DataOptions`: the size and the drawing of the pose maps.

    Returns:
        Dictionary of `condition_image` as it is, `condition_parsing` (and `target_parsing`) one-hot [B, H, W, 20] and
        `target_pose` [B, H, W, 18].
    """
    pose = pose_of(batch, "target", data_options)
    parsings = {key: one_hot(batch[key]) for key in ("condition_parsing", "target_parsing") if key in batch}
    return {"condition_image": batch["condition_image"], "target_pose": pose, **parsings}
