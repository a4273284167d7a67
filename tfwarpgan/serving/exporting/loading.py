"""A SavedModel that was exported earlier, as a pipeline of this process."""

import os
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfwarpgan.errors import InputError
from tfwarpgan.serving.pipeline import ExportedPipeline
from tfwarpgan.typing import Array, Arrays


class SavedModelPipeline(ExportedPipeline):
    """The networks of a SavedModel.

    Args:
        path: Folder with saved_model.pb.

    Raises:
        InputError: If it cannot be loaded, or is not an export of `tfwarpgan.export`.
    """

    def __init__(self, path: str) -> None:
        try:
            self.module = tf.saved_model.load(path)  # its signatures live only as long as it does
        except Exception as error:  # files that are missing or broken, operations that are not registered, ...
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path} cannot be loaded ({reason}); export the model again.") from None
        shapes = {name: _shapes(function) for name, function in self.module.signatures.items()}
        super().__init__(path, shapes, _width_name(path))

    def predict(self, inputs: Arrays, signature: str) -> dict[str, Array]:
        """See `ExportedPipeline.predict`."""
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        return {name: value.numpy() for name, value in self.module.signatures[signature](**tensors).items()}


def _width_name(path: str) -> str:
    """The name of the width of the images, which a loaded SavedModel no longer has."""
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, tf.saved_model.SAVED_MODEL_FILENAME_PB), "rb") as file:
        saved_model.ParseFromString(file.read())
    dims = saved_model.meta_graphs[0].signature_def["serving_default"].inputs["image"].tensor_shape.dim
    return dims[2].name if len(dims) == 4 else ""


def _shapes(function: Any) -> dict[str, tuple[int | None, ...] | None]:
    specs = function.structured_input_signature[1]
    return {name: None if spec.shape.rank is None else tuple(spec.shape) for name, spec in specs.items()}
