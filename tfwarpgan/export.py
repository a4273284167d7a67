"""Exports a run as a SavedModel: `python -m tfwarpgan.export --run_dir=RUN --export_dir=DIR`.

Or the released weights: `--weights=people` in place of `--run_dir`. The result is `DIR/<version>/`, which TensorFlow
Serving takes as it is; export/README.md shows how.
"""

import dataclasses

from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, option, run_command, run_options


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What is exported, and where it goes."""

    weights: str = option("", "Released weights to export in place of a run's, such as 'people'.")
    export_dir: str = option("", "Folder of the model; its last part is the name that a server gives it.")
    version: int = option(0, "Version to publish; 0: one above the highest that is there.", minimum=0)
    human_parser_run_dir: str = option(
        "", "Run whose human parser goes into the export, for signatures that take a photograph alone."
    )


def main(options, export):
    """Publishes the SavedModel and prints where it is and what its check found."""
    if not export.export_dir:
        raise InputError("--export_dir is missing: name the folder of the model.")
    if not export.weights and not options.train.run_dir:
        raise InputError("--run_dir is missing: name the run to export, or released weights by --weights=people.")
    from tfwarpgan.serving.publish import publish
    from tfwarpgan.training.runs import load_human_parser, load_pipeline

    parse = None
    if export.human_parser_run_dir:
        size = (options.data.height, options.data.width)
        parse = load_human_parser(run_options(export.human_parser_run_dir), size)
    path, report = publish(
        load_pipeline(options, export.weights, for_new_pictures=True), export.export_dir, export.version, parse
    )
    print("Checked in a session against the model in this process (differences of 8-bit levels):")
    for name, found in report.items():
        print(f"  {name}: mean {found['mean']:.5f}, largest {found['largest']:.0f}, between rows {found['rows']:.5f}")
    print(f"SavedModel: {path}")


def cli():
    """The command."""
    run_command(main, Options, ExportOptions, reads_run=True)


if __name__ == "__main__":
    cli()
