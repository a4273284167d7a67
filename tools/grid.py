"""Draws README's grid: `python tools/grid.py --run_dir=runs/people --beside=people --output=docs/pictures/people.png`.

Test pairs of as many people, from small to large changes of pose; the same for every run of the same data.
"""

import dataclasses

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, option


@dataclasses.dataclass(frozen=True)
class GridOptions:
    """What is drawn."""

    pairs: int = option(10, "Pairs to draw, one in each row.", minimum=1)
    beside: str = option("", "Another run, or released weights, whose images are shown beside this one's.")
    title: str = option("before", "Title of the column of the other run.")
    scale: int = option(1, "Size of the images in the grid, a multiple of theirs.", minimum=1)
    output: str = option("grid.png", "The PNG file.")


def main(options, drawn):
    """Synthesizes the pairs and draws them."""
    from tfwarpgan.data.batches.pairs import pairs_dataset
    from tfwarpgan.data.records.preparation import prepare
    from tfwarpgan.evaluate import load_beside
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.storage.pixels import to_pixels
    from tfwarpgan.storage.writing import encode_png, write_atomically
    from tfwarpgan.training.previews import spread
    from tfwarpgan.viewing.drawing import grid, sample_columns

    pipeline = load_pipeline(options)
    others = load_beside(options, drawn.beside).values() if drawn.beside else ()
    prepared = prepare(options.data)
    data_options = dataclasses.replace(options.data, batch_size=drawn.pairs)
    batch = next(iter(pairs_dataset(prepared, data_options, "test", only=spread(prepared, drawn.pairs))))
    found = sample_columns(batch, pipeline(batch), scale=2 * drawn.scale)
    columns = {title: found[title] for title in ("condition", "target pose", "warped condition")}
    for other in others:
        columns[drawn.title] = to_pixels(other(batch)["image"])
    columns |= {title: found[title] for title in ("synthesized", "target")}
    write_atomically(drawn.output, encode_png(grid(columns, drawn.scale)))


def cli():
    """The command."""
    run_command(main, Options, GridOptions, takes=("run_dir",), reads_run=True)


if __name__ == "__main__":
    cli()
