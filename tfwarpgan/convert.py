"""Converts public network weights into the files that the metrics read.

    python -m tfwarpgan.convert --file=alexnet-owt-7be5be79.pth

These weights may not be shipped: fetch the file yourself. Nothing in it is executed, and its sha256 has to be a known
one.
"""

import dataclasses

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import MetricOptions, option


@dataclasses.dataclass(frozen=True)
class ConvertOptions:
    """What is converted, and where to."""

    file: str = option("", "File of weights: .pth or .safetensors of PyTorch; .tgz or .pb of the Inception of 2015.")
    metric_weights: str = option(
        MetricOptions.metric_weights, "Folder for the converted weights, which evaluate reads."
    )
    unverified: bool = option(False, "Take a file whose sha256 is not known; its numbers then say so.")


def main(convert: ConvertOptions) -> None:
    """Converts one file."""
    if not convert.file:
        from tfwarpgan.evaluation.weights.known import NETWORKS

        lines = [f"  {network.file}: for {network.use}" for network in NETWORKS.values()]
        raise InputError("--file is missing; give one of:" + ";".join(lines) + ".")
    from tfwarpgan.evaluation.weights.conversion import convert as convert_file
    from tfwarpgan.evaluation.weights.conversion import load_weights

    network, path = convert_file(convert.file, convert.metric_weights, convert.unverified)
    print(f"{path}: {network} of {load_weights(network, convert.metric_weights)}")


def cli() -> None:
    """The command."""
    run_command(main, ConvertOptions)


if __name__ == "__main__":
    cli()
