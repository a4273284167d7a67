"""Pictures as Inception sees them: 299 x 299, by the resizer of each FID, which moves it as a better model does.

| resizer | of whom                                 | how |
|---------|-----------------------------------------|-----|
| `tf1`   | the graph of 2015: TTUR, torch-fidelity | bilinear, corners of pixels on corners, no smoothing |
| `torch` | GFLA, CFLD                              | bilinear, centers of pixels on centers, no smoothing |
| `clean` | clean-fid                               | Pillow's bicubic in floating point, smoothed where it shrinks |
"""

import tensorflow as tf

from tfwarpgan.typing import Tensor

SIDE = 299


def resize_tf1(levels: Tensor, side: int = SIDE) -> Tensor:
    """Levels [B, H, W, 3] as float32 [B, side, side, 3], by TensorFlow 1's `resize_bilinear`."""
    return tf.raw_ops.ResizeBilinear(
        images=tf.cast(levels, tf.float32), size=[side, side], align_corners=False, half_pixel_centers=False
    )


def resize_torch(levels: Tensor, side: int = SIDE) -> Tensor:
    """As `resize_tf1`, by PyTorch's `interpolate(mode="bilinear", align_corners=False)`."""
    return tf.image.resize(tf.cast(levels, tf.float32), [side, side], "bilinear")


def resize_clean(levels: Tensor, side: int = SIDE) -> Tensor:
    """As `resize_tf1`, by clean-fid's bicubic filter; within .006 of a level of Pillow's."""
    resized = tf.image.resize(tf.cast(levels, tf.float32), [side, side], "bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 255.0)
