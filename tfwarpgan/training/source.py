"""What a training reads, looked for before anything is built; nothing here imports TensorFlow."""

from tfwarpgan.data.layouts import opening
from tfwarpgan.options import Options, check_places


def open_source(options: Options) -> opening.Source:
    """The data set of a training: the rows of LIP, or the layout of pairs, whose images train the human parser too.

    Args:
        options: `Options`.

    Raises:
        InputError: If something of it is missing; it says what to get and where to put it.
    """
    check_places(options)
    return (
        opening.open_lip(options.data)
        if options.data.dataset == "lip" or options.train.stage == "human_parser" and options.data.lip_dir
        else opening.open_layout(options.data, in_parts=True)
    )
