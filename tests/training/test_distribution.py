"""What workers tell each other, and how their errors are told."""

import json

import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.training.distribution import worker_errors
from tfwarpgan.training.workers import ALONE, Workers

TWO = Workers(("localhost:1", "localhost:2"))


def test_the_chief_alone_chooses_and_all_know(processes, tmp_path):
    """Many times: TensorFlow warns of functions that are traced again and again."""
    both = processes.addresses(2)
    started = [
        processes.start(
            processes.choose, Workers(both, index), tmp_path / f"{index}.json", log=tmp_path / f"log{index}"
        )
        for index in range(2)
    ]
    logs = [tmp_path / f"log{index}" for index in range(2)]
    assert processes.ends(started, 120) == [0, 0], [log.read_text()[-3000:] for log in logs]
    for index in range(2):
        found = json.loads((tmp_path / f"{index}.json").read_text())
        assert found["asked"] == [True, False][index]
        assert found["chosen"] == ["a", "c"]
        assert found["any"] == [True, False]
        assert found["totals"] == [2.0 * value for value in range(8)]
        assert "retracing" not in logs[index].read_text()


@pytest.mark.parametrize("error", [
    tf.errors.UnavailableError(None, None, "Socket closed"),
    tf.errors.FailedPreconditionError(None, None, "RecvBuf expects a different device incarnation: 1 vs. 2."),
    tf.errors.FailedPreconditionError(None, None, "Agent must be in CONNECTED state. It is currently in ERROR."),
])  # fmt: skip
def test_a_worker_that_has_gone_is_told(error):
    with pytest.raises(InputError, match="^Another worker stopped"), worker_errors(TWO):
        raise error
    with pytest.raises(type(error)), worker_errors(ALONE):
        raise error


def test_what_files_and_folders_refuse_is_no_worker_that_has_gone(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(tf.errors.FailedPreconditionError), worker_errors(TWO):
        tf.io.gfile.remove(str(tmp_path))
    with pytest.raises(tf.errors.FailedPreconditionError), worker_errors(TWO):
        tf.train.Checkpoint(a=tf.Variable(1.0)).write(str(tmp_path / "file" / "ckpt"))
