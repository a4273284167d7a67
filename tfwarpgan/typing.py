"""Names for the arrays and tensors that pass between the rooms; each says what a type cannot: shape, range, meaning.

At run time a tensor's name stands for anything, so that modules without TensorFlow can use these names too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tensorflow import Tensor as Tensor
else:
    Tensor = Any

# NumPy arrays.
Array: TypeAlias = npt.NDArray[Any]  # of any shape and type
Floats: TypeAlias = npt.NDArray[np.floating[Any]]  # of any shape and precision
Pixels: TypeAlias = npt.NDArray[np.uint8]  # uint8 [H, W, 3] RGB, of an image
Picture: TypeAlias = npt.NDArray[np.uint8]  # uint8 [H, W, 3] RGB, for a person to look at
LabelMap: TypeAlias = npt.NDArray[np.uint8]  # uint8 [H, W], one of LIP's labels per pixel
Joints: TypeAlias = npt.NDArray[np.floating[Any]]  # float [18, 2], (y, x) in pixels; missing: (-1, -1)
Visible: TypeAlias = npt.NDArray[np.bool_]  # bool [18]
Pose: TypeAlias = tuple[Joints, Visible]
Arrays: TypeAlias = Mapping[str, Array]  # by name

# Tensors.
Image: TypeAlias = Tensor  # float [B, H, W, 3] RGB in [-1, 1]
Labels: TypeAlias = Tensor  # integer [B, H, W]
OneHot: TypeAlias = Tensor  # float [B, H, W, 20], a channel for each label
Logits: TypeAlias = Tensor  # float32 [B, H, W, 20]
PoseMap: TypeAlias = Tensor  # float [B, H, W, 18] in [0, 1]
Features: TypeAlias = Tensor  # float [B, H, W, C]
Grid: TypeAlias = Tensor  # float [B, H, W, 2], (x, y) in [-1, 1], corners aligned
Affine: TypeAlias = Tensor  # float [B, 6]
Spline: TypeAlias = Tensor  # float [B, k * k, 2], moves of the control points of a thin-plate spline
Scalar: TypeAlias = Tensor  # float []

Batch: TypeAlias = Mapping[str, Tensor]  # of the data pipeline, see `data.batches.pairs`
Tensors: TypeAlias = Mapping[str, Tensor]  # what networks take and give, by name
Size: TypeAlias = tuple[int, int]  # (height, width), pixels
