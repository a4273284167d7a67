"""What a training reads, looked for before anything is built; nothing here imports TensorFlow."""

from tfwarpgan.data.layouts import opening
from tfwarpgan.data.pictures.label_maps import ANNOTATE
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, check_places


def open_source(options: Options) -> opening.Source:
    """The data set of a training: the rows of LIP, or the layout of pairs, whose images train the human parser too.

    Args:
        options: `Options`.

    Raises:
        InputError: If something of it is missing; it says what to get and where to put it.
    """
    check_places(options)
    labels = options.train.stage == "human_parser"
    if options.data.dataset == "lip" or labels and options.data.lip_dir:
        return opening.open_lip(options.data)
    layout = opening.open_layout(options.data, in_parts=True)
    if not layout.has_label_maps and (options.sees_parsings or labels):
        raise InputError(
            f"{layout.parsing_dir} is missing, and --model={options.networks.model} with these flags learns from label "
            f"maps: {ANNOTATE}; or train a system that sees none, such as --model=pix2pix."
        )
    return layout
