"""The signatures of an exported model, which turn images and poses into images.

Each signature takes and gives what travels well: bytes or uint8 images, and joints instead of pose maps. Every
input goes through `tf.ensure_shape` first, since a server would abort on a wrong rank and silently take a wrong size.
The rows of a batch do not depend on each other.

| signature | inputs | output |
|---|---|---|
| `serving_default` | `image`, `condition_parsing`, `target_keypoints`, `target_visible` | `image` |
| `encoded` | `image_bytes`, `parsing_bytes`, `target_keypoints`, `target_visible` | `image_bytes` |
| `photograph` | `image`, `target_keypoints`, `target_visible` | `image` |
| `photograph_encoded` | `image_bytes`, `target_keypoints`, `target_visible` | `image_bytes` |

The last two are there where a human parser is given, which then labels the image. A model that sees no parsing has the
first two alone, without `condition_parsing` and `parsing_bytes`; one that sees the person's own pose too takes
`condition_keypoints` and `condition_visible` in all of them. Encoded images are JPEG or PNG
of exactly the model's size; their headers are read before they are decoded: no small file can fill the memory.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeAlias

import tensorflow as tf

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.layers.convolution import transformed_kernels
from tfwarpgan.layers.pixels import from_pixels, to_pixels
from tfwarpgan.layers.sampling import core_ops_only
from tfwarpgan.typing import Image, Size, Tensor

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
Parse: TypeAlias = Callable[[Image], Tensor]  # scores of the labels [B, H, W, 20]
Specs: TypeAlias = dict[str, tf.TensorSpec]
# Of the system's own networks.
INPUTS = ("condition_image", "condition_parsing", "target_keypoints", "target_visible")

GRAY_8_BIT = b"\x08\x00"  # bit depth and color type in a PNG's header, bytes 24 and 25

# What the dimensions of inputs and outputs are called in the metadata that a server gives.
DIMENSIONS = {
    "image": ("batch", "height", "width", "channel"),
    "condition_parsing": ("batch", "height", "width"),
    "condition_keypoints": ("batch", "joint", "yx"),
    "condition_visible": ("batch", "joint"),
    "target_keypoints": ("batch", "joint", "yx"),
    "target_visible": ("batch", "joint"),
    "image_bytes": ("batch",),
    "parsing_bytes": ("batch",),
}


def build_signatures(
    pipeline: Any, parse: Parse | None = None, for_processors: bool = False
) -> tuple[tf.Module, dict[str, Any]]:
    """The signatures of a pipeline, ready for `tf.saved_model.save`.

    Args:
        pipeline: Callable with the attributes `height`, `width` and `inputs`; on a dictionary of the latter, as
            `condition_image` float32 [B, H, W, 3] in [-1, 1], `condition_parsing` uint8 [B, H, W], `target_keypoints`
            float32 [B, 18, 2] as (y, x) in pixels and `target_visible` bool [B, 18], it gives a dictionary with `image`
            [B, H, W, 3] in [-1, 1].
        parse: Human parser: float32 [B, H, W, 3] in [-1, 1] -> scores of the labels [B, H, W, 20]; or None.
        for_processors: Whether wide convolutions are Winograd's, see `layers.convolution.transformed_kernels`.

    Returns:
        (module, functions): the `tf.Module` that holds the weights, and the concrete functions by signature.
    """
    endpoints = _Endpoints(pipeline, parse)
    functions = {}
    with core_ops_only(), transformed_kernels() if for_processors else contextlib.nullcontext():
        for name, specs in signature_specs(pipeline.height, pipeline.width, parse is not None, pipeline.inputs).items():
            function = tf.function(_shapes_ensured(getattr(endpoints, name), specs), autograph=False)
            functions[name] = function.get_concrete_function(**specs)
        return _holder(functions.values()), functions  # before the transformed kernels are let go


def signature_specs(
    height: int, width: int, with_photograph: bool, inputs: Collection[str] = INPUTS
) -> dict[str, Specs]:
    """The named inputs of each signature: dictionary of dictionaries of `tf.TensorSpec`.

    Args:
        height, width: Size of the images, in pixels.
        with_photograph: Whether the signatures without a label map are among them.
        inputs: What the pipeline takes of a batch.
    """
    image = _specs(image=([height, width, 3], tf.uint8))
    image_bytes = _specs(image_bytes=([], tf.string))
    parsing, parsing_bytes = {}, {}
    if "condition_parsing" in inputs:
        parsing = _specs(condition_parsing=([height, width], tf.uint8))
        parsing_bytes = _specs(parsing_bytes=([], tf.string))
    pose: Specs = {}
    for side in [side for side in ("condition", "target") if f"{side}_keypoints" in inputs]:
        points = {f"{side}_keypoints": ([NUM_JOINTS, 2], tf.float32), f"{side}_visible": ([NUM_JOINTS], tf.bool)}
        pose |= _specs(**points)
    specs = {"serving_default": {**image, **parsing, **pose}, "encoded": {**image_bytes, **parsing_bytes, **pose}}
    if with_photograph:
        specs.update(photograph={**image, **pose}, photograph_encoded={**image_bytes, **pose})
    return specs


def _specs(**inputs: tuple[list[int], tf.DType]) -> Specs:
    return {name: tf.TensorSpec([None, *shape], dtype, name) for name, (shape, dtype) in inputs.items()}


class _Endpoints:
    """One method per signature. Not a `tf.Module`, so that only the signatures are written into the SavedModel."""

    def __init__(self, pipeline: Any, parse: Parse | None) -> None:
        self.pipeline = pipeline
        self.parse: Any = parse  # there where its signatures are
        self.size = (pipeline.height, pipeline.width)

    def serving_default(
        self, image: Tensor, condition_parsing: Tensor | None = None, **poses: Tensor
    ) -> dict[str, Tensor]:
        batch = {"condition_image": from_pixels(image), **poses}
        for name in [name for name in poses if name.endswith("_keypoints")]:
            # What a client sends for a missing joint may be anything, NaN too.
            batch[name] = tf.where(poses[name.replace("_keypoints", "_visible")][..., None], poses[name], 0.0)
        if condition_parsing is not None:
            with tf.control_dependencies([_assert_labels(condition_parsing)]):
                batch["condition_parsing"] = tf.identity(condition_parsing)
        return {"image": to_pixels(self.pipeline(batch)["image"])}

    def encoded(self, image_bytes: Tensor, parsing_bytes: Tensor | None = None, **poses: Tensor) -> dict[str, Tensor]:
        label_maps = None if parsing_bytes is None else self._label_maps(parsing_bytes)
        return _encoded(self.serving_default(self._images(image_bytes), label_maps, **poses))

    def photograph(self, image: Tensor, **poses: Tensor) -> dict[str, Tensor]:
        scores = self.parse(from_pixels(image))
        return self.serving_default(image, tf.cast(tf.argmax(scores, axis=-1), tf.uint8), **poses)

    def photograph_encoded(self, image_bytes: Tensor, **poses: Tensor) -> dict[str, Tensor]:
        return _encoded(self.photograph(self._images(image_bytes), **poses))

    def _images(self, encoded: Tensor) -> Tensor:
        def decode(image: Tensor) -> Tensor:
            with tf.control_dependencies([_assert_size(image, self.size)]):
                image = tf.io.decode_image(image, channels=3, expand_animations=False)
            return tf.ensure_shape(image, [*self.size, 3])

        return tf.map_fn(decode, encoded, fn_output_signature=tf.TensorSpec([*self.size, 3], tf.uint8))

    def _label_maps(self, encoded: Tensor) -> Tensor:
        def decode(label_map: Tensor) -> Tensor:
            is_gray = tf.equal(_header(label_map, 24, 2), GRAY_8_BIT)  # a palette would be read as its colors
            gray = tf.debugging.Assert(is_gray, ["A label map must be an 8-bit gray PNG."])
            with tf.control_dependencies([gray, _assert_size(label_map, self.size)]):
                label_map = tf.io.decode_png(label_map, channels=1)
            return tf.ensure_shape(label_map, [*self.size, 1])[..., 0]

        return tf.map_fn(decode, encoded, fn_output_signature=tf.TensorSpec(self.size, tf.uint8))


def _encoded(outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"image_bytes": tf.map_fn(tf.io.encode_png, outputs["image"], fn_output_signature=tf.string)}


def _assert_labels(parsing: Tensor) -> Any:
    highest = tf.reduce_max(tf.cast(parsing, tf.int32))
    return tf.debugging.Assert(highest < NUM_LABELS, [f"A label map must hold labels below {NUM_LABELS}, got", highest])


def _assert_size(encoded: Tensor, size: Size) -> Any:
    """Refuses by its header what is not a JPEG or PNG of this size (height, width), before it is decoded."""

    def png_size() -> Tensor:
        is_png = tf.equal(tf.strings.substr(encoded, 0, len(PNG_START)), PNG_START)
        with tf.control_dependencies([tf.debugging.Assert(is_png, ["An image must be a JPEG or a PNG."])]):
            return tf.io.decode_raw(_header(encoded, 16, 8), tf.int32, little_endian=False)[::-1]

    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(JPEG_START)), JPEG_START)
    found = tf.cond(is_jpeg, lambda: tf.io.extract_jpeg_shape(encoded)[:2], png_size)
    fits = tf.reduce_all(tf.equal(found, size))
    return tf.debugging.Assert(fits, [f"An image must be of {size[0]} x {size[1]} (height x width), got", found])


def _header(encoded: Tensor, start: int, length: int) -> Tensor:
    """Bytes of a header, with zeros where it ends before: an operation's complaint would quote it, which is no text."""
    end = start + length
    return tf.strings.substr(tf.strings.join([tf.strings.substr(encoded, 0, end), b"\0" * end]), start, length)


def _shapes_ensured(endpoint: Callable[..., dict[str, Tensor]], specs: Specs) -> Callable[..., dict[str, Tensor]]:
    def signature(**inputs: Tensor) -> dict[str, Tensor]:
        return endpoint(**{name: tf.ensure_shape(value, specs[name].shape) for name, value in inputs.items()})

    return signature


def _holder(functions: Iterable[Any]) -> tf.Module:
    """A module that tracks the variables of concrete functions, each once, and no Keras object.

    Saving a Keras model would trace each of its layers again, outside of `core_ops_only`. The order is that in which
    tracing met them: a graph's own list of variables has another one in each process, and so would the fingerprint.
    """
    variables = {id(variable.handle): variable for function in functions for variable in function.graph.variables}
    captured = dict.fromkeys(id(tensor) for function in functions for tensor in function.captured_inputs)
    module = tf.Module(name="tfwarpgan")
    module.parameters = [variables[handle] for handle in captured if handle in variables]
    return module
