"""What happens between two steps: checkpoints, scalars, picture grids, progress, profiles."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

from tfwarpgan.training.checkpoints import StageCheckpoints
from tfwarpgan.typing import Picture

Logs: TypeAlias = Mapping[str, Any] | None  # what a train step returned
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}, {remaining} left, {speed} pictures/s{postfix}]"


class Finite(keras.callbacks.Callback):
    """Ends a training whose losses or gradients are not finite, before anything is logged, drawn or saved of them.

    Args:
        checkpoints: Of the stage, for the message.
        stage: Its name.
        every: Steps between two looks, void ones included; a divisor of those between all that is written.
    """

    def __init__(self, checkpoints: StageCheckpoints, stage: str, every: int) -> None:
        super().__init__()
        self.checkpoints, self.stage, self.every = checkpoints, stage, every

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if (batch + 1) % self.every == 0 or self.model.steps_done % self.every == 0:
            self._look()

    def on_train_end(self, logs: Logs = None) -> None:
        self._look()

    def _look(self) -> None:
        self.model.check_finite(self.stage, self.checkpoints.last)


class Checkpoints(keras.callbacks.Callback):
    """Saves every `every` steps and at the end, which a signal may bring."""

    def __init__(self, checkpoints: StageCheckpoints, every: int) -> None:
        super().__init__()
        self.checkpoints, self.every = checkpoints, every

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.model.steps_done % self.every == 0:
            self.checkpoints.save()

    def on_train_end(self, logs: Logs = None) -> None:
        self.checkpoints.save()


def write_scalars(writer: tf.summary.SummaryWriter, stage: str, step: int, values: Mapping[str, float]) -> None:
    """Writes the values of a stage's step, by name, for TensorBoard."""
    with writer.as_default(step):
        for name, value in values.items():
            tf.summary.scalar(f"{stage}/{name}", value)
    writer.flush()


class Scalars(keras.callbacks.Callback):
    """Writes means, learning rate and pictures per second every `every` steps, and resets the means."""

    def __init__(self, writer: tf.summary.SummaryWriter, stage: str, every: int, batch_size: int) -> None:
        super().__init__()
        self.writer, self.stage, self.every, self.batch_size = writer, stage, every, batch_size

    def on_train_begin(self, logs: Logs = None) -> None:
        self.time, self.step = time.perf_counter(), self.model.steps_done

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        step = self.model.steps_done
        if step % self.every or step == self.step:  # the latter where a scaled loss made the step void
            return
        now = time.perf_counter()
        values = {name: float(value) for name, value in (logs or {}).items()}
        values["learning_rate"] = self.model.learning_rate
        values |= self.model.skipped_steps
        values["images_per_second"] = (step - self.step) * self.batch_size / (now - self.time)
        write_scalars(self.writer, self.stage, step, values)
        self.time, self.step = now, step
        self.model.reset_metrics()


class Bar(tqdm):
    """A bar of steps that also tells how many pictures are trained on in a second, and the losses.

    Args:
        pictures: Of a step.
    """

    def __init__(self, pictures: int, **kwargs: Any) -> None:
        self.pictures = pictures
        self.losses: Logs = None  # of the last step; read when they are shown, since reading waits for the device
        super().__init__(bar_format=BAR, **kwargs)

    @property
    def format_dict(self) -> dict[str, Any]:
        values = super().format_dict
        rate = values["rate"] or (values["n"] - values["initial"]) / (values["elapsed"] or 1.0)
        losses = ", ".join(f"{name} {float(value):.3g}" for name, value in (self.losses or {}).items())
        return {**values, "speed": f"{rate * self.pictures:.3g}" if rate else "?", "postfix": losses}


class Progress(keras.callbacks.Callback):
    """A progress bar of the stage with the time left, pictures per second and the losses; its line ends at `close`.

    Args:
        stage: Name of the stage.
        start: Steps that are done.
        steps: Of the stage.
        batch_size: Pictures of a step.
        shown: Whether there is a bar at all.
    """

    def __init__(self, stage: str, start: int, steps: int, batch_size: int, shown: bool = True) -> None:
        super().__init__()
        bar = {"total": steps, "initial": start, "desc": stage, "mininterval": 5.0}
        self.bar = Bar(pictures=batch_size, disable=not shown, **bar)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.bar.losses = logs
        self.bar.update(self.model.steps_done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


class Previews(keras.callbacks.Callback):
    """Shows the stage's state on test pictures every `every` steps and at the stage's end.

    Args:
        writer: The summary writer.
        stage: Name of the stage, under which everything appears in TensorBoard.
        every: Steps between two pictures.
        steps: Of the stage.
        draw: Function without arguments -> a picture grid uint8 [H, W, 3].
    """

    def __init__(
        self, writer: tf.summary.SummaryWriter, stage: str, every: int, steps: int, draw: Callable[[], Picture]
    ) -> None:
        super().__init__()
        self.writer, self.stage, self.every, self.steps, self.draw = writer, stage, every, steps, draw
        self.step: int | None = None

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        step = self.model.steps_done
        if step != self.step and (step % self.every == 0 or step == self.steps):
            self._write(step)
            self.step = step

    def _write(self, step: int) -> None:
        with self.writer.as_default(step):
            tf.summary.image(f"{self.stage}/pictures", self.draw()[None])
        self.writer.flush()


class Profile(keras.callbacks.Callback):
    """Profiles steps `first` to `last` (counted from 1), both included, into `folder`, with one marker per step."""

    def __init__(self, folder: str, first: int, last: int) -> None:
        super().__init__()
        self.folder, self.first, self.last = folder, first, last
        self.active = False
        self.marker: Any = None

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        step = self.model.steps_done + 1
        if step == self.first:
            tf.profiler.experimental.start(self.folder)
            self.active = True
        if self.active:
            self.marker = tf.profiler.experimental.Trace("train", step_num=step, _r=1)
            self.marker.__enter__()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.active:
            self.marker.__exit__(None, None, None)
            if self.model.steps_done == self.last:
                self._stop()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.active:
            self._stop()

    def _stop(self) -> None:
        tf.profiler.experimental.stop()
        self.active = False
