"""The summary of a run: one page of its curves, its last pictures, its flags and its times, RUN/summary.html.

What the page shows is kept in the stages' folders (`series.json`, `pictures.png`, the validation scores), a few hundred
kilobytes whatever the length of the run, so that a run that goes on, or begins its next stage, shows all of it.
"""

import dataclasses
import html
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.inference.checkpoints import stage_folder
from tfwarpgan.inference.scores import read_scores
from tfwarpgan.options import STAGES, Options
from tfwarpgan.storage import object_store
from tfwarpgan.storage.writing import save_png, write_atomically
from tfwarpgan.training.callbacks import Logs
from tfwarpgan.typing import Picture
from tfwarpgan.viewing import charts, pages

PAGE, SERIES, PICTURES = "summary.html", "series.json", "pictures.png"
MOST_POINTS = 400  # of a curve
STYLE = f"<style>{charts.STYLE} img.grid {{ height: auto; max-width: 100%; max-height: 900px; }}</style>"


@dataclasses.dataclass
class Course:
    """What a stage has gone through.

    Attributes:
        step: Steps done.
        seconds: Time that they took, validations and pictures included.
        stride: Log entries to a point of a curve.
        curves: Name -> points [last step, mean, number of log entries], at most `MOST_POINTS`.
    """

    step: int = 0
    seconds: float = 0.0
    stride: int = 1
    curves: dict[str, list[list[float]]] = dataclasses.field(default_factory=dict)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a log entry; where a curve gets too long, each two of its points become their mean."""
        for name, value in values.items():
            points = self.curves.setdefault(name, [])
            points.append([step, value, 1])
            if len(points) > 1 and points[-2][2] < self.stride:
                points[-2:] = [_merged(*points[-2:])]
        if any(len(points) > MOST_POINTS for points in self.curves.values()):
            self.stride *= 2
            for points in self.curves.values():
                points[:] = [_merged(*points[place : place + 2]) for place in range(0, len(points), 2)]

    def until(self, step: int) -> "Course":
        """This course without what came after a step; its time is taken as spent evenly."""
        seconds = self.seconds * min(1.0, step / self.step) if self.step else 0.0
        curves = {name: [point for point in points if point[0] <= step] for name, points in self.curves.items()}
        return Course(step, seconds, self.stride, curves)


def _merged(first: list[float], second: list[float] | None = None) -> list[float]:
    if second is None:
        return first
    count = first[2] + second[2]
    return [second[0], (first[1] * first[2] + second[1] * second[2]) / count, count]


class Summary(keras.callbacks.Callback):
    """Keeps the course of a stage, and writes the run's page at each checkpoint and at the end.

    Args:
        stage: Name of the stage.
        options: `Options`.
        pictures_per_step: Size of a step's whole batch.
    """

    def __init__(self, stage: str, options: Options, pictures_per_step: int) -> None:
        super().__init__()
        self.stage, self.options, self.pictures_per_step = stage, options, pictures_per_step
        self.folder = stage_folder(options.train.run_dir, stage)
        self.course = read_course(self.folder)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.course = self.course.until(self.model.steps_done)
        self.time, self.logged = time.perf_counter(), self.model.steps_done

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        step = self.model.steps_done
        if step > self.logged and step % self.options.train.log_every == 0:
            self._log(step, logs or {})
        if step > self.course.step and step % self.options.train.checkpoint_every == 0:
            self._write(step)

    def on_train_end(self, logs: Logs = None) -> None:
        self._write(self.model.steps_done)

    def _log(self, step: int, logs: Mapping[str, Any]) -> None:
        values = {name: float(value) for name, value in logs.items()}
        self.course.add(step, values | {"learning_rate": self.model.learning_rate})
        self.logged = step

    def add(self, step: int, scores: Mapping[str, float]) -> None:
        """Adds the scores of a validation."""
        self.course.add(step, scores)

    def keeping(self, draw: Callable[[], Picture]) -> Callable[[], Picture]:
        """The function `draw`, whose last picture the page shows."""

        def draw_and_keep() -> Picture:
            picture = draw()
            save_png(os.path.join(self.folder, PICTURES), picture)
            return picture

        return draw_and_keep

    def _write(self, step: int) -> None:
        now = time.perf_counter()
        self.course.seconds += now - self.time
        self.course.step, self.time = step, now
        write_atomically(os.path.join(self.folder, SERIES), json.dumps(dataclasses.asdict(self.course)) + "\n")
        write_summary(self.options, self.pictures_per_step)


def read_course(folder: str) -> Course:
    """The course in a stage's folder; an empty one where there is none, or none that can be read."""
    content = _read(os.path.join(folder, SERIES))
    try:
        return Course(**json.loads(content)) if content else Course()
    except (ValueError, TypeError):
        return Course()  # a page is not worth a training


def write_summary(options: Options, pictures_per_step: int) -> str:
    """Writes the page of a run, from what its stages' folders hold; gives its path."""
    run_dir = os.path.expanduser(options.train.run_dir)
    courses = {stage: read_course(stage_folder(run_dir, stage)) for stage in STAGES}
    courses = {stage: course for stage, course in courses.items() if course.step}
    parts = [STYLE, *_table(options, courses, pictures_per_step)]
    for stage, course in courses.items():
        parts += _section(stage, course, stage_folder(run_dir, stage))
    path = os.path.join(run_dir, PAGE)
    write_atomically(path, pages.page(f"Run {os.path.basename(run_dir.rstrip('/'))}", [*parts, *_flags(options)]))
    return path


def _table(options: Options, courses: Mapping[str, Course], pictures_per_step: int) -> Iterator[str]:
    yield f"<p>Written {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, TensorFlow {tf.__version__}.</p><table>"
    titles = ("stage", "steps", "of", "time", "left", "pictures/s", "best score", "at step", "last score")
    yield "<tr>" + "".join(f"<th>{title}</th>" for title in titles) + "</tr>"
    for stage, course in courses.items():
        cells = _row(stage, course, options, pictures_per_step)
        yield "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _row(stage: str, course: Course, options: Options, pictures_per_step: int) -> list[str]:
    steps, scores = options.train.steps_of(stage), read_scores(stage_folder(options.train.run_dir, stage))
    left = "finished early" if scores.ended(options.train, stage) else "finished"
    if course.step < steps and left == "finished":
        left = duration(course.seconds / course.step * (steps - course.step))
    best = [f"{scores.best[1]:.4f}", f"{scores.best[0]:,}"] if scores.best else ["", ""]
    last = f"{list(scores.values.values())[-1]:.4f} ({scores.measure})" if scores.values else ""
    speed = f"{course.step * pictures_per_step / course.seconds:.3g}" if course.seconds else ""
    return [stage, f"{course.step:,}", f"{steps:,}", duration(course.seconds), left, speed, *best, last]


def _section(stage: str, course: Course, folder: str) -> Iterator[str]:
    yield f"<h2>{stage.replace('_', ' ').capitalize()}</h2><div>"
    best = read_scores(folder).best
    names = sorted(course.curves, key=lambda name: (not name.startswith("validation_"), name == "learning_rate"))
    for name in names:
        mark = best[0] if best and name.startswith("validation_") else None
        yield charts.line_chart(name, [(step, value) for step, value, _ in course.curves[name]], mark)
    yield "</div>"
    pictures = _read(os.path.join(folder, PICTURES))
    if pictures:
        yield pages.png_image(f"{stage}: test pairs", pictures, "grid")


def _flags(options: Options) -> Iterator[str]:
    defaults = set(to_flagfile(Options()).splitlines())
    lines = to_flagfile(options).splitlines()
    yield "<h2>Flags</h2>" + pages.preformatted("\n".join(line for line in lines if line not in defaults))
    yield f"<details><summary>All of them</summary>{pages.preformatted(chr(10).join(lines))}</details>"


def duration(seconds: float) -> str:
    """A time as people say it: 42 s, 3 min 20 s, 5 h 7 min, 2 d 3 h."""
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(round(seconds), size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def _read(path: str) -> bytes:
    if not object_store.exists(path):
        return b""
    if object_store.is_remote(path):
        return object_store.read(path)
    with open(path, "rb") as file:
        return file.read()
