"""The data doctor's page of pictures: samples with skeleton and label map drawn, for a person to look at."""

import functools
import html
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tfwarpgan.body.joints import scale as joints_at
from tfwarpgan.body.labels import COLORS, LABELS
from tfwarpgan.data.doctor.examine import Report, Sample
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Joints, Picture, Pixels, Visible
from tfwarpgan.viewing.drawing import color_parsing, draw_skeleton, grid
from tfwarpgan.viewing.pages import image, page, preformatted

SAMPLES = 40
HEIGHT = 256  # pixels of a sample's pictures on the page
MorePictures: TypeAlias = Callable[[Pixels, Joints, Visible], dict[str, Picture]]


def no_more(picture: Pixels, joints: Joints, visible: Visible) -> dict[str, Picture]:
    """No further pictures."""
    del picture, joints, visible
    return {}


def write(path: str, report: Report, more: MorePictures = no_more) -> None:
    """Writes the page.

    Args:
        path: The HTML file.
        report: A `examine.Report` with samples.
        more: Function of a picture, its joints and whether they are visible -> further pictures by their titles.

    Raises:
        InputError: If the file cannot be written.
    """
    write_atomically(path, to_html(report, more))


def to_html(report: Report, more: MorePictures = no_more) -> str:
    """The page: colors of the labels, the samples, then the report."""
    parts = ["<p>Labels:" + "".join(_swatch(label) for label in range(len(LABELS))) + "</p>"]
    draw = functools.partial(_figure, more=more)
    worst = [sample for sample in report.samples if sample.note]
    if worst:
        parts += ["<h2>Joints that do not lie on the person, worst first</h2>", *map(draw, worst)]
    for split in dict.fromkeys(sample.split for sample in report.samples):
        samples = [sample for sample in report.samples if sample.split == split and not sample.note]
        parts += [f"<h2>{html.escape(split)}: {len(samples)} samples</h2>", *map(draw, samples)]
    return page(f"Data check: {report.title}", [*parts, "<h2>Report</h2>", preformatted(report.text())])


def _swatch(label: int) -> str:
    color = "#" + "".join(f"{part:02x}" for part in COLORS[label])
    return f'<span class="swatch" style="background:{color}"></span>{label} {html.escape(LABELS[label])}'


def _figure(sample: Sample, more: MorePictures) -> str:
    note = f"<br>{html.escape(sample.note)}" if sample.note else ""
    caption = f"<figcaption><code>{html.escape(sample.name)}</code>{note}</figcaption>"
    try:
        return f"<figure>{image(sample.name, strip(sample, more))}{caption}</figure>"
    except InputError as error:
        return f"<figure>{html.escape(str(error))}{caption}</figure>"


def strip(sample: Sample, more: MorePictures = no_more) -> Picture:
    """The pictures of a sample side by side.

    Args:
        sample: A `examine.Sample`.
        more: See `write`.

    Returns:
        uint8 [H, W, 3]: the picture, the skeleton on it and, if there is one, the label map, and the skeleton on the
        two mixed; then those of `more`.

    Raises:
        InputError: If a file cannot be read.
    """
    picture = images.read_rgb(sample.image)
    scale = HEIGHT / len(picture)
    scale = round(scale) if scale > 1 else scale
    columns = {"picture": picture, "joints": picture}
    if sample.label_map is not None:
        colors = color_parsing(read_label_map(sample.label_map, picture.shape[:2]))
        columns |= {"parsing": colors, "both": np.rint(0.5 * picture + 0.5 * colors).astype(np.uint8)}
    joints, visible = sample.joints, sample.visible
    if joints is None or visible is None:
        del columns["joints"]
    else:
        size = images.image_size(sample.image)  # a large photograph is read smaller
        moved = joints_at(joints, visible, size, picture.shape[:2])
        for name in {"joints", "both"} & columns.keys():
            columns[name] = _with_skeleton(columns[name], moved, visible, scale)
        columns |= more(picture, moved, visible)
    return grid({name: [drawn] for name, drawn in columns.items()}, scale)


def _with_skeleton(background: Picture, joints: Joints, visible: Visible, scale: float) -> Picture:
    height, width = background.shape[:2]
    return draw_skeleton(joints, visible, height, width, scale, background)
