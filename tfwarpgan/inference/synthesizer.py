"""A trained model for programs: images and poses in, images out, wherever its networks run.

Nothing here imports TensorFlow, so that a machine with the client alone can use the networks of a server.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.inference import synthesis
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import Array, Size

Path: TypeAlias = str | os.PathLike[str]
Inputs: TypeAlias = npt.ArrayLike | Path | Sequence[npt.ArrayLike | Path]


class Pipeline(Protocol):
    """Networks, wherever they run, as `LocalPipeline`, `SavedModelPipeline` and `RemotePipeline` have them."""

    height: int
    width: int
    inputs: tuple[str, ...]
    labels: bool
    batch_size: int

    def draw(self, batch: dict[str, Array]) -> Array:
        """Draws a batch, see `ExportedPipeline.draw`."""


class Synthesizer:
    """Draws people in new poses; `tfwarpgan.load` makes one.

    Args:
        pipeline: The networks; with an attribute `framing`, `Framing.flags` of their training.

    Attributes:
        size: (height, width) of the images that it draws, in pixels.
        framing: `Framing` that makes the model's images of those of any size, as it made those of its training.
        signature: Names of the inputs that `synthesize` needs: ("image", "joints", "parsing"), without "parsing" where
            the model labels images itself or sees no labels, and with "image_joints" where it sees them.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.size = (pipeline.height, pipeline.width)
        self.framing = Framing.read(*self.size, getattr(pipeline, "framing", ""))
        parsing = () if pipeline.labels else ("parsing",)
        own_pose = ("image_joints",) if "condition_keypoints" in pipeline.inputs else ()
        self.signature = ("image", "joints", *parsing, *own_pose)

    def synthesize(
        self,
        image: Inputs,
        joints: npt.ArrayLike,
        parsing: Inputs | None = None,
        visible: npt.ArrayLike | None = None,
        *,
        pose_size: Size | None = None,
        image_joints: npt.ArrayLike | None = None,
        image_visible: npt.ArrayLike | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Draws people in new poses.

        Each input is a single one or a batch; a single one goes with every row of the others.

        Args:
            image: The person: uint8 [H, W, 3] or [N, H, W, 3], the path of an image file, or a list of either. Any
                size; it becomes the model's as the pictures of its training did, see `framing`.
            joints: The pose: float [18, 2] or [N, 18, 2], (y, x) in pixels, in the order of `body.joints.NAMES`.
            parsing: Label map of `image`: uint8 [H, W] or [N, H, W] with the labels of `body.labels`, the path of a
                PNG, or a list of either. None: the model labels the image, if it can (see `signature`).
            visible: bool [18] or [N, 18], which joints are there. None: those without a negative coordinate.
            pose_size: (height, width) in pixels of the image that the joints were annotated in. None: that of `image`.
            image_joints: The person's own pose, like `joints`, in pixels of `image`; where `signature` names it.
            image_visible: Like `visible`, of `image_joints`.

        Returns:
            uint8 [height, width, 3] of `size`, or [N, height, width, 3] where an input is a batch.

        Raises:
            InputError: If a file cannot be read, an input has another type, shape or length, the model needs
                `parsing`, or a server does not answer.
        """
        if parsing is None and "parsing" in self.signature:
            raise InputError(
                "parsing is missing, and this model does not label images: give the label map of the image, or load "
                "(or export) the model with a trained human parser, human_parser_run_dir."
            )
        persons, of_persons = _listed("image", image, 3)
        parsings, of_parsings = _listed("parsing", parsing, 2)
        poses, visibles, of_poses = _poses("joints", joints, "visible", visible)
        own: list[Any] = [None]
        own_visibles, of_own = own, False
        if "image_joints" in self.signature:
            if image_joints is None:
                raise InputError("image_joints is missing: this model sees the person's own pose; give its joints too.")
            own, own_visibles, of_own = _poses("image_joints", image_joints, "image_visible", image_visible)
        _check_lengths(
            image=persons, parsing=parsings, joints=poses, visible=visibles, image_joints=own,
            image_visible=own_visibles,
        )  # fmt: skip
        # A person in many poses is read once.
        conditions = [self._condition(*each) for each in _aligned(persons, parsings, own, own_visibles)]
        rows = [
            {**row, **self._pose(points, seen, pose_size or size)}
            for (row, size), points, seen in _aligned(conditions, poses, visibles)
        ]
        drawn = self._drawn(rows)
        return drawn if of_persons or of_parsings or of_poses or of_own else drawn[0]

    def _condition(self, image: Any, parsing: Any, joints: Any, visible: Any) -> tuple[dict[str, Array], Size]:
        """The person's part of a row, and the size (height, width) of the image."""
        pixels = self._used("image", image, images.read_rgb, 3)
        size = images.image_size(os.fspath(image)) if _is_path(image) else np.shape(image)[:2]
        labels = None
        if parsing is not None:
            labels = self._used("parsing", parsing, label_maps.read_label_map, 2)
            name = parsing if _is_path(parsing) else "parsing"
            label_maps.check_label_map(labels, pixels.shape[:2], name)
        row = synthesis.framed_condition(pixels, labels, self.framing)
        if joints is not None:
            row |= self._pose(joints, visible, (size[0], size[1]), "condition")
        return row, (size[0], size[1])

    def _used(self, name: str, value: Any, read: Callable[[str], Array], rank: int) -> Array:
        """The used part of the picture of a path or an array: uint8 [H, W, 3] (rank 3) or [H, W] (rank 2)."""
        if _is_path(value):
            return read(self.framing.file(os.fspath(value)))
        pixels = np.asarray(value)
        if pixels.dtype != np.uint8 or pixels.ndim != rank or pixels.shape[2:] not in ((), (3,)) or not pixels.size:
            shape = "[H, W, 3]" if rank == 3 else "[H, W]"
            raise InputError(f"{name} must be uint8 {shape} or a path, got {pixels.dtype} {list(pixels.shape)}.")
        return self.framing.used(pixels, name)

    def _pose(self, joints: Array, visible: Array, size: Size, side: str = "target") -> dict[str, Array]:
        name = "joints" if side == "target" else "image_joints"
        if not np.all(np.isfinite(joints[visible])):
            raise InputError(f"{name} must be finite numbers where they are visible; set visible to False elsewhere.")
        return synthesis.pose_row(joints, visible, size, self.framing, name, side)

    def _drawn(self, rows: list[dict[str, Array]]) -> npt.NDArray[np.uint8]:
        """The images of all rows, in batches that the networks take: uint8 [N, height, width, 3]."""
        step = self.pipeline.batch_size
        batches = [synthesis.stacked(rows[start : start + step]) for start in range(0, len(rows), step)]
        return np.concatenate([to_pixels(self.pipeline.draw(batch)) for batch in batches])


def _poses(name: str, joints: Any, visible_name: str, visible: Any) -> tuple[list[Any], list[Any], bool]:
    """(list of joints, list of what is visible of them, whether either came as a batch)."""
    poses, of_poses = _numbers(name, joints, np.float32, NUM_JOINTS, 2)
    if visible is None:
        visible = np.all(np.asarray(joints) >= 0, axis=-1)
    visibles, of_visibles = _numbers(visible_name, visible, bool, NUM_JOINTS)
    return poses, visibles, of_poses or of_visibles


def _numbers(name: str, values: Any, dtype: Any, *shape: int) -> tuple[list[Any], bool]:
    """(list of arrays of the shape, whether they came as a batch)."""
    try:
        values = np.asarray(values, dtype)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array of numbers, got {type(values).__name__}.") from None
    if values.shape[-len(shape) :] != shape or values.ndim - len(shape) not in (0, 1):
        expected = ", ".join(map(str, shape))
        raise InputError(f"{name} must be of shape [{expected}] or [N, {expected}], got {list(values.shape)}.")
    return (list(values), True) if values.ndim > len(shape) else ([values], False)


def _listed(name: str, values: Any, rank: int) -> tuple[list[Any], bool]:
    """(list of arrays or paths, whether they came as a batch); what each is, `Synthesizer._used` sees."""
    if values is None or _is_path(values):
        return [values], False
    if isinstance(values, (list, tuple)):
        return list(values), True
    values = np.asarray(values)
    if values.ndim not in (rank, rank + 1):
        raise InputError(f"{name} must have {rank} dimensions, or {rank + 1} as a batch, got {list(values.shape)}.")
    return (list(values), True) if values.ndim > rank else ([values], False)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _check_lengths(**columns: list[Any]) -> None:
    """Refuses inputs of which two are batches that are not equally long, or one is empty."""
    lengths = {name: len(values) for name, values in columns.items()}
    if not all(lengths.values()) or len(set(lengths.values()) - {1}) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"Batches must be equally long and not empty, got the lengths {told}.")


def _aligned(*columns: list[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of columns of one length; a column of a single value has it in every row."""
    count = max(map(len, columns))
    return zip(*(values * (count // len(values)) for values in columns))
