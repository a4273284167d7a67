"""Publishes a SavedModel where a running server may load it at any moment.

A server takes each child of a model's folder whose name is an integer for a version, so the SavedModel is written under
another name, warmed and checked there, and renamed when it is whole and on the disk. An existing version is never
overwritten.
"""

import errno
import os
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.saved_model.fingerprinting_utils import write_fingerprint

from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.serving.exporting.check import HALF_TOLERANCE, TOLERANCE, check, sample_inputs
from tfwarpgan.serving.exporting.signatures import DIMENSIONS, Parse, build_signatures, signature_specs
from tfwarpgan.serving.service.versions import is_version
from tfwarpgan.serving.wire.warmup import write_warmup
from tfwarpgan.storage.locks import disk_errors
from tfwarpgan.storage.writing import flush, flush_folder, unfinished_folder

BATCH_SIZES = (1,)


def publish(
    pipeline: Any,
    model_dir: str,
    version: int = 0,
    parse: Parse | None = None,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    framing: Framing | None = None,
    reference: Any = None,
    for_processors: bool = False,
) -> tuple[str, dict[str, dict[str, float]]]:
    """Exports a pipeline as `<model_dir>/<version>/`, once it has passed `check`.

    Args:
        pipeline, parse, for_processors: See `build_signatures`.
        model_dir: Folder of the model; its last part is the model's name.
        version: The version, at least 1; 0: one above the highest existing one.
        batch_sizes: Sizes of the batches that a server warms each signature with; none: no warm-up.
        framing: `Framing` of the pictures of the training, which clients are told; None: the default.
        reference: The same model in float32, where `pipeline` computes in bfloat16: the export is checked against it.

    Returns:
        (path, report): the folder of the version, and what `check` found.

    Raises:
        InputError: If the version already exists, or the folder cannot be written.
    """
    model_dir = os.path.abspath(os.path.expanduser(model_dir))
    if version:
        _refuse_existing(os.path.join(model_dir, str(version)))
    with disk_errors(model_dir, "--export_dir"), unfinished_folder(model_dir) as writing:
        module, functions = build_signatures(pipeline, parse, for_processors)
        # A server takes no gradients, and tracing them takes longer than all the rest.
        without_gradients = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, writing, functions, without_gradients)
        name_dimensions(writing, framing)
        if batch_sizes:
            specs = signature_specs(pipeline.height, pipeline.width, parse is not None, pipeline.inputs)
            samples = sample_inputs(pipeline.height, pipeline.width)
            write_warmup(writing, os.path.basename(model_dir), specs, samples, batch_sizes)
        tolerance = TOLERANCE if reference is None else HALF_TOLERANCE
        report = check(writing, pipeline if reference is None else reference, parse, tolerance)
        flush_folder(writing)
        path = _put_in_place(writing, model_dir, version)
    return path, report


def next_version(model_dir: str) -> int:
    """One above the highest version in the folder of a model; 1 where there is none."""
    names = os.listdir(model_dir) if os.path.isdir(model_dir) else []
    return max((int(name) for name in names if is_version(name)), default=0) + 1


def name_dimensions(folder: str, framing: Framing | None = None) -> None:
    """Writes the names of `DIMENSIONS` into the signatures of a SavedModel; TensorFlow itself leaves them empty.

    That of the width of images to be given says too how pictures of any size become such images: clients see nothing
    else of the run, and `pipeline.ExportedPipeline` reads it.
    """
    batch, height, width, channel = DIMENSIONS["image"]
    inputs = {
        **DIMENSIONS,
        "image": (batch, height, f"{width} {framing.flags}".rstrip() if framing else width, channel),
    }
    path = os.path.join(folder, tf.saved_model.SAVED_MODEL_FILENAME_PB)
    saved_model = saved_model_pb2.SavedModel()
    with open(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    for signature in saved_model.meta_graphs[0].signature_def.values():
        for side, names in ((signature.inputs, inputs), (signature.outputs, DIMENSIONS)):
            for key, info in side.items():
                for dim, name in zip(info.tensor_shape.dim, names.get(key, ())):
                    dim.name = name
    with open(path, "wb") as file:
        file.write(saved_model.SerializeToString(deterministic=True))
    write_fingerprint(folder)


def _refuse_existing(path: str) -> None:
    if os.path.lexists(path):
        raise InputError(f"{path} already exists, and a version is never overwritten; choose another --version.")


def _put_in_place(writing: str, model_dir: str, version: int) -> str:
    """Renames a folder to that of a version, which may be taken while it is being chosen."""
    while True:
        path = os.path.join(model_dir, str(version or next_version(model_dir)))
        _refuse_existing(path)
        try:
            os.rename(writing, path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            flush(model_dir)
            return path
