"""What a training reads, looked for before anything is built; nothing here imports TensorFlow."""

from tfwarpgan.data.layouts import opening
from tfwarpgan.options import Options, check_places


def open_source(options: Options) -> opening.Source:
    """The data set of a training: the rows of LIP for the human parser, else the layout of the pairs.

    Args:
        options: `Options`.

    Raises:
        InputError: If something of it is missing; it says what to get and where to put it.
    """
    check_places(options)
    return (
        opening.open_lip(options.data)
        if options.train.stage == "human_parser"
        else opening.open_layout(options.data, in_parts=True)
    )
