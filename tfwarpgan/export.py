"""Exports a run as a SavedModel, or inspects one.

    python -m tfwarpgan.export --run_dir=RUN --export_dir=DIR

Or the released weights: `--weights=people` in place of `--run_dir`. The result is `DIR/<version>/`, which TensorFlow
Serving takes as it is; export/README.md shows how. `--check=DIR/<version>` inspects any SavedModel instead, and exits
with 1 if a server should not load it.
"""

import dataclasses
import os
import sys

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import FINISHING, Options, option

MAX_WARMUP_RECORDS = 1000  # most that a server accepts


@dataclasses.dataclass(frozen=True)
class ExportOptions:
    """What is exported, and where it goes."""

    weights: str = option("", "Released weights to export instead of a run, such as 'people'.")
    export_dir: str = option("", "Folder of the model; its last part is the model's name on the server.")
    version: int = option(0, "Version number to publish; 0 takes the next one.", minimum=0, maximum=2**63 - 1)
    human_parser_run_dir: str = option(
        "",
        "Run of a human parser to include, which adds signatures that need no label map; default: that of --weights.",
    )
    batch_sizes: str = option(
        "1,2,4,8",
        "Batch sizes for warm-up requests, the same as in the server's batching configuration; empty: no warm-up. With "
        "--check: batch sizes whose messages are measured.",
    )
    export_precision: str = option(
        "float32",
        "What the exported generator computes in; bfloat16 (mixed: weights and outputs stay float32) is for servers "
        "whose GPU or processor has instructions for it, and slower elsewhere.",
        choices=("float32", "bfloat16"),
    )
    for_processors: bool = option(
        False,
        "Export wide convolutions of float32 as Winograd's: on servers without a GPU full-size models answer 1.3 to "
        "1.6 times as many requests, and their files are 1.7 times as large.",
    )
    check: str = option("", "Folder of a SavedModel to inspect; nothing is exported.")

    def __post_init__(self) -> None:
        for name in (
            ("weights", "export_dir", "version", "human_parser_run_dir", "for_processors") if self.check else ()
        ):
            if getattr(self, name):
                raise InputError(f"Give either --check or --{name}, not both: --check only inspects.")
        parse_batch_sizes(self.batch_sizes)

    @property
    def sizes(self) -> list[int]:
        """`batch_sizes` as a sorted list of numbers."""
        return parse_batch_sizes(self.batch_sizes)


def main(options: Options, export: ExportOptions) -> None:
    """Publishes the SavedModel and prints where it is and what its check found; or inspects another one."""
    if export.check and options.train.run_dir:
        raise InputError("Give either --check or --run_dir, not both: --check only inspects.")
    if export.check:
        return inspect(export)
    if not export.export_dir:
        raise InputError("--export_dir is missing: name the folder of the model.")
    if not export.weights and not options.train.run_dir:
        raise InputError("--run_dir is missing: name the run to export, or use released weights with --weights=people.")
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.inference.loading import in_bfloat16, load_labeler, load_pipeline
    from tfwarpgan.serving.exporting.publish import publish

    parse = load_labeler(options, export.human_parser_run_dir, export.weights)
    pipeline, reference = load_pipeline(options, export.weights, for_new_images=True), None
    if export.export_precision == "bfloat16":
        pipeline, reference = in_bfloat16(pipeline, options), pipeline
    framing = Framing.of(options.data)
    path, report = publish(
        pipeline, export.export_dir, export.version, parse, export.sizes, framing, reference, export.for_processors
    )
    model = "the model in this process" if reference is None else "the model in float32"
    print(f"Checked in a session against {model} (differences of 8-bit levels):")
    for name, found in report.items():
        print(f"  {name}: mean {found['mean']:.5f}, largest {found['largest']:.0f}, between rows {found['rows']:.5f}")
    print(f"SavedModel: {path}")


def inspect(export: ExportOptions) -> None:
    """Prints what is found of the SavedModel of --check, and exits with 1 if there are problems."""
    path = os.path.expanduser(export.check)
    if not os.path.isfile(os.path.join(path, "saved_model.pb")):
        raise InputError(f"{path} contains no SavedModel (saved_model.pb is missing); name the folder of a version.")
    from tfwarpgan.serving.exporting import inspection

    found = inspection.inspect(path, export.sizes or [1])
    print("\n".join(found.lines()))
    if found.problems:
        sys.exit(1)


def parse_batch_sizes(text: str) -> list[int]:
    """The batch sizes of a flag such as "1,8", sorted; an empty text is none.

    Raises:
        InputError: If one is not a positive number, or there are too many.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"--batch_sizes={text} must be positive numbers separated by commas, such as 1,8.")
    sizes = sorted({int(part) for part in parts})
    if 4 * len(sizes) > MAX_WARMUP_RECORDS:
        raise InputError(
            f"--batch_sizes={text} are too many: a server accepts at most {MAX_WARMUP_RECORDS} warm-up records."
        )
    return sizes


def cli() -> None:
    """The command."""
    run_command(main, Options, ExportOptions, takes=("run_dir", "checkpoint", *FINISHING), reads_run=True)


if __name__ == "__main__":
    cli()
