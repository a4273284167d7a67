"""The data doctor's page of pictures: samples with skeleton and parsing drawn, for a person to look at."""

import html

import numpy as np

from tfwarpgan.body.labels import COLOURS, LABELS
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.viewing.drawing import colour_parsing, draw_skeleton, grid
from tfwarpgan.viewing.pages import image, page, preformatted

SAMPLES = 40
HEIGHT = 256  # pixels of a sample's pictures on the page


def write(path, report):
    """Writes the page.

    Args:
        path: The HTML file.
        report: A `examine.Report` with samples.

    Raises:
        InputError: If the file cannot be written.
    """
    write_atomically(path, to_html(report))


def to_html(report):
    """The page: colours of the labels, the samples, then the report."""
    parts = ["<p>Labels:" + "".join(_swatch(label) for label in range(len(LABELS))) + "</p>"]
    for split in dict.fromkeys(sample.split for sample in report.samples):
        samples = [sample for sample in report.samples if sample.split == split]
        parts += [f"<h2>{html.escape(split)}: {len(samples)} samples</h2>", *map(_figure, samples)]
    return page(f"Data check: {report.title}", [*parts, "<h2>Report</h2>", preformatted(report.text())])


def _swatch(label):
    colour = "#" + "".join(f"{part:02x}" for part in COLOURS[label])
    return f'<span class="swatch" style="background:{colour}"></span>{label} {html.escape(LABELS[label])}'


def _figure(sample):
    caption = f"<figcaption><code>{html.escape(sample.name)}</code></figcaption>"
    try:
        return f"<figure>{image(sample.name, strip(sample))}{caption}</figure>"
    except InputError as error:
        return f"<figure>{html.escape(str(error))}{caption}</figure>"


def strip(sample):
    """The pictures of a sample side by side.

    Args:
        sample: A `examine.Sample`.

    Returns:
        uint8 [H, W, 3]: the picture, the skeleton on it, the parsing, and the skeleton on the two mixed.

    Raises:
        InputError: If a file cannot be read.
    """
    picture = images.read_rgb(sample.image)
    colours = colour_parsing(read_label_map(sample.parsing, picture.shape[:2]))
    mixed = np.rint(0.5 * picture + 0.5 * colours).astype(np.uint8)
    scale = HEIGHT / len(picture)
    scale = round(scale) if scale > 1 else scale
    columns = {"picture": picture, "joints": picture, "parsing": colours, "both": mixed}
    if sample.keypoints is None:
        del columns["joints"]
    else:
        columns |= {name: _with_skeleton(columns[name], sample, scale) for name in ("joints", "both")}
    return grid({name: [drawn] for name, drawn in columns.items()}, scale)


def _with_skeleton(background, sample, scale):
    height, width = background.shape[:2]
    return draw_skeleton(sample.keypoints, sample.visible, height, width, scale, background)
