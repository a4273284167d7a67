"""The progress bar: what it shows, and that it reads losses only when it shows them."""

import types

from tfwarpgan.training.callbacks import Progress


class Loss:
    """A number on a device, and how often it was read."""

    read = 0

    def __float__(self):
        self.read += 1
        return 0.25


def losses_of(progress, steps):
    """The loss of each step."""
    progress.set_model(types.SimpleNamespace(steps_done=0))
    losses = [Loss() for _ in range(steps)]
    for step, loss in enumerate(losses):
        progress.model.steps_done = step + 1
        progress.on_train_batch_end(step, {"pixel": loss})
    return losses


def test_losses_are_read_when_they_are_shown(capsys):
    progress = Progress("warping_generator", 0, 100, 4)
    losses = losses_of(progress, 50)
    assert not any(loss.read for loss in losses)  # there are five seconds between two times
    progress.close()
    assert [loss.read for loss in losses] == [0] * 49 + [1]
    assert "50/100" in capsys.readouterr().err.splitlines()[-1]


def test_the_losses_are_shown(capsys):
    progress = Progress("warping_generator", 0, 100, 4)
    progress.bar.mininterval = 0
    losses_of(progress, 50)
    progress.close()
    shown = capsys.readouterr().err
    assert "50/100" in shown and ", pixel 0.25]" in shown and " pictures/s, pixel" in shown


def test_a_bar_that_is_not_shown_reads_nothing(capsys):
    progress = Progress("warping_generator", 0, 100, 4, shown=False)
    losses = losses_of(progress, 50)
    progress.close()
    assert not any(loss.read for loss in losses) and not capsys.readouterr().err
