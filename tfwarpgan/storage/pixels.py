"""Pixels of a file, uint8 0..255, as the values that networks see, [-1, 1], and back, in NumPy.

`layers.pixels` is the same in TensorFlow.
"""

import numpy as np
import numpy.typing as npt


def from_pixels(pixels: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Images of levels 0..255, uint8 or resized ones in between, as float32 in [-1, 1]; any shape."""
    return np.asarray(pixels, np.float32) / np.float32(127.5) - np.float32(1.0)


def to_pixels(images: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Images in [-1, 1] as uint8, rounded to the nearest level and clipped; any shape."""
    levels = (np.asarray(images, np.float32) + np.float32(1.0)) * np.float32(127.5)
    pixels: npt.NDArray[np.uint8] = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return pixels
