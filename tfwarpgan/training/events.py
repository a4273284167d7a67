"""The event files of a run, put back to the step of a checkpoint.

A training that was killed has logged steps that it trains again. TensorBoard's own means against that, a session log
"start" with a step, makes it drop all later steps of a folder, and the stages of a run count steps of their own in one
folder; so what is too late is taken out of the files.
"""

import os
from collections.abc import Iterator

import tensorflow as tf

from tfwarpgan.storage.writing import write_atomically

_LENGTH, _CHECKSUM = 8, 4  # bytes of a record's frame: length, its checksum, content, its checksum


def put_back(run_dir: str, stage: str, step: int) -> None:
    """Takes out of a run's event files what a stage has logged of steps after `step`, and ends that were cut.

    Args:
        run_dir: Folder of the run.
        stage: Name of the stage, with which its tags begin.
        step: The step that it goes on from.
    """
    for name in tf.io.gfile.listdir(run_dir) if tf.io.gfile.isdir(run_dir) else []:
        if "tfevents" not in name:
            continue
        path = os.path.join(run_dir, name)
        with tf.io.gfile.GFile(path, "rb") as file:
            before = file.read()
        after = b"".join(frame for frame, content in records(before) if not _is_later(content, stage, step))
        if after != before:
            write_atomically(path, after)


def records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(frame, content) of each record of a file of TFRecords, as far as they are whole."""
    start = 0
    while start < len(data):
        content = start + _LENGTH + _CHECKSUM
        end = content + int.from_bytes(data[start : start + _LENGTH], "little")
        if end + _CHECKSUM > len(data):
            return
        yield data[start : end + _CHECKSUM], data[content:end]
        start = end + _CHECKSUM


def _is_later(content: bytes, stage: str, step: int) -> bool:
    event = tf.compat.v1.Event.FromString(content)
    return event.step > step and any(value.tag.startswith(f"{stage}/") for value in event.summary.value)
