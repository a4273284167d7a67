"""The event files of a run hold each step of a stage once, whatever was killed."""

import os

import tensorflow as tf

from tfwarpgan.training.events import put_back


def write(folder, stage, steps):
    writer = tf.summary.create_file_writer(str(folder))
    for step in steps:
        with writer.as_default(step):
            tf.summary.scalar(f"{stage}/loss", float(step))
    writer.close()


def logged(folder):
    """(tag, step, value) of everything, as TensorFlow reads it."""
    return [
        (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
        for name in sorted(os.listdir(folder))
        for event in tf.compat.v1.train.summary_iterator(os.path.join(folder, name))
        for value in event.summary.value
    ]


def test_later_steps_of_the_stage_alone_are_taken_out(tmp_path):
    write(tmp_path, "parser", [1, 2, 3])
    write(tmp_path, "parser_of_others", [3])
    write(tmp_path, "matcher", [3, 4])
    put_back(str(tmp_path), "parser", 2)
    assert sorted(logged(tmp_path)) == [
        ("matcher/loss", 3, 3.0), ("matcher/loss", 4, 4.0), ("parser/loss", 1, 1.0), ("parser/loss", 2, 2.0),
        ("parser_of_others/loss", 3, 3.0),
    ]  # fmt: skip
    assert all(name.startswith("events.out.tfevents") for name in os.listdir(tmp_path))


def test_a_file_that_was_cut_ends_with_its_last_whole_record(tmp_path):
    write(tmp_path, "parser", [1, 2])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    put_back(str(tmp_path), "parser", 9)
    assert logged(tmp_path) == [("parser/loss", 1, 1.0)]


def test_files_with_nothing_too_late_are_left_alone(tmp_path):
    write(tmp_path, "parser", [1, 2])
    (path,) = tmp_path.iterdir()
    before = path.stat()
    put_back(str(tmp_path), "parser", 2)
    assert path.stat().st_mtime_ns == before.st_mtime_ns and path.stat().st_ino == before.st_ino
    put_back(str(tmp_path / "none"), "parser", 2)
