"""Prepares a data set for training: checks every file, resizes, and writes records.

    python -m tfwarpgan.prepare
    python -m tfwarpgan.prepare --dataset=market1501 --data_dir=~/data/Market-1501

Training does this by itself where it was not done; this command does only this, and prints what the data set holds.
"""

from tfwarpgan.options import Options, run_command


def main(options):
    """Prepares the data set and prints what it holds and where it lies.

    Args:
        options: `Options`, those of the data; the flagfile of a training fits as it is.
    """
    from tfwarpgan.data import records  # imports TensorFlow, which a wrong flag should not wait for

    prepared = records.prepare(options.data)
    for split, pairs in prepared.num_pairs.items():
        print(
            f"{split}: {prepared.num_persons[split]:,} persons, {prepared.num_images[split]:,} images, {pairs:,} pairs"
        )
    print(f"{prepared.height} x {prepared.width} pixels, in {prepared.folder}")


def cli():
    """The command."""
    run_command(main, Options)


if __name__ == "__main__":
    cli()
