"""What every command that draws people of photographs is told."""

import dataclasses

from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.released import released_folder
from tfwarpgan.options import Options, option


@dataclasses.dataclass(frozen=True)
class DrawingOptions:
    """Whose networks draw, and what finds joints and labels on a photograph."""

    weights: str = option("", "Released weights to use instead of a run, such as 'people'.")
    pose_estimator: str = option(
        "", "Folder of MoveNet's SavedModel, which finds joints on photographs; default: it is fetched once."
    )
    min_score: float = option(0.2, "Score that a joint found on a photograph must exceed.", minimum=0, maximum=1)
    human_parser_run_dir: str = option(
        "", "Run of a human parser, which labels the photograph; default: that of --weights, or labels drawn from "
        "joints.",
    )  # fmt: skip


def check_networks(options: Options, drawing: DrawingOptions, server: str = "") -> None:
    """Refuses that there are no networks, before TensorFlow is loaded.

    Args:
        options: `Options`, with the run, if there is one.
        drawing: `DrawingOptions`.
        server: Address of the server that draws; empty: there is none.

    Raises:
        InputError: If neither weights nor a run are named; beside a server they say how its people are cropped. Or if a
            flag is given that the server's networks do not heed.
    """
    if drawing.weights or options.train.run_dir:
        if server:
            run = released_folder(drawing.weights) if drawing.weights else options.train.run_dir
            options.networks.check_served(run_options(run).networks)
        return
    if server:
        raise InputError("--server needs --weights or --run_dir too, those that it serves: they say how people stand.")
    raise InputError("No networks are given: use --weights=people or the --run_dir of a trained run.")
