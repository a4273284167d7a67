"""Evaluates a run on the test pairs and writes a report with pictures.

    python -m tfwarpgan.evaluate --run_dir=RUN

A run of the human parser is evaluated on the validation images of LIP instead, by label.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import is_run, run_options
from tfwarpgan.inference.released import released_folder, released_names
from tfwarpgan.options import DATA_SET, Options, option

if TYPE_CHECKING:
    import tensorflow as tf

    from tfwarpgan.models.warping_gan import WarpingGAN

# Listed here too, with the size of their windows, so that a wrong one is refused before TensorFlow is loaded.
SSIM_PROTOCOLS = {"gaussian": 11, "posegan": 11, "uniform7": 7, "win51": 51}


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """What is scored, and where the report goes."""

    weights: str = option("", "Released weights to evaluate instead of a run, such as 'people'.")
    output_dir: str = option("", "Folder for the report; default: 'evaluation' in --run_dir.")
    max_pairs: int = option(0, "Test pairs to evaluate; 0 takes all.", minimum=0)
    mean_image_pairs: int = option(
        5000, "Training pairs whose targets are averaged for the baseline 'mean image'; 0 takes all.", minimum=0
    )
    ssim_protocols: str = option(
        "gaussian", "SSIM protocols, separated by commas; gaussian is always computed: " + ", ".join(SSIM_PROTOCOLS)
    )
    report_pairs: int = option(
        20, "Pairs in each part of the page: best, median, worst; easy, middle, hard.", minimum=1, maximum=1000
    )
    beside: str = option(
        "", "An earlier run, or released weights such as people, whose pictures the page shows beside this one's."
    )

    def __post_init__(self) -> None:
        for name in self.ssim_protocols.split(","):
            if name.strip() not in SSIM_PROTOCOLS:
                raise InputError(f"--ssim_protocols: '{name.strip()}' must be one of {', '.join(SSIM_PROTOCOLS)}.")

    @property
    def protocols(self) -> list[str]:
        """The SSIM protocols; the first is `gaussian`, which ranks the pairs."""
        return list(dict.fromkeys(["gaussian", *(name.strip() for name in self.ssim_protocols.split(","))]))


def output_folder(options: Options, evaluate: EvaluateOptions) -> str:
    """Where the report goes.

    Raises:
        InputError: If neither a run nor a folder is named.
    """
    if evaluate.output_dir:
        return evaluate.output_dir
    if evaluate.weights:
        raise InputError("--output_dir is missing: name the folder for the report of the released weights.")
    if not options.train.run_dir:
        raise InputError(
            "--run_dir is missing: name the run to evaluate, or use released weights with --weights=people."
        )
    return os.path.join(options.train.run_dir, "evaluation")


def check_windows(options: Options, evaluate: EvaluateOptions) -> None:
    """Refuses SSIM protocols whose window is larger than the images.

    Raises:
        InputError: Naming the protocol.
    """
    height, width = options.data.height, options.data.width
    for name in evaluate.protocols:
        size = SSIM_PROTOCOLS[name]
        if min(height, width) < size:
            raise InputError(
                f"--ssim_protocols: {name} needs images of at least {size} x {size} pixels, and those of this run "
                f"have {height} x {width}; leave it out."
            )


def main(options: Options, evaluate: EvaluateOptions) -> None:
    """Scores the pipeline and writes the report."""
    folder = output_folder(options, evaluate)
    if options.train.stage == "human_parser" and not evaluate.weights:
        refuse_pairs(evaluate)
        score_human_parser(options, folder)
        return
    check_windows(options, evaluate)
    from tfwarpgan.data.batches.pairs import pairs_dataset
    from tfwarpgan.data.records.preparation import prepare
    from tfwarpgan.inference.loading import load_pipeline

    pipeline = load_pipeline(options, evaluate.weights)
    beside = load_beside(options, evaluate.beside) if evaluate.beside else None
    prepared = prepare(options.data)
    # The mean is of the images as they are, not of mirrored ones.
    data_options = dataclasses.replace(options.data, flip=False)

    def dataset(split: str) -> "tf.data.Dataset":
        return pairs_dataset(prepared, data_options, split=split, names=True)

    paths, table = score(pipeline, dataset, prepared.num_pairs, options, evaluate, folder, beside)
    print(f"\n{table}\nPictures: {paths['index.html']} and {paths['grid.png']}\nNumbers: {paths['metrics.json']}")


def load_beside(options: Options, name: str) -> dict[str, "WarpingGAN"]:
    """Another run (or released weights), of images of the same size: the title of its column -> its pipeline.

    Raises:
        InputError: If there is none, or its images have another size.
    """
    from tfwarpgan.inference.loading import load_pipeline

    trained = is_run(name)
    if not trained and name not in released_names():
        raise InputError(
            f"--beside={name} is neither the folder of a run nor released weights ({', '.join(released_names())})."
        )
    other = run_options(name if trained else released_folder(name))
    if (other.data.height, other.data.width) != (options.data.height, options.data.width):
        raise InputError(
            f"--beside={name} makes images of {other.data.height} x {other.data.width} (height x width), and this "
            f"run of {options.data.height} x {options.data.width}: name a run of the same size."
        )
    return {f"synthesized by {name}": load_pipeline(other, "" if trained else name)}


def refuse_pairs(evaluate: EvaluateOptions) -> None:
    """Refuses what is said about pairs, where a human parser is scored.

    Raises:
        InputError: Naming the flag.
    """
    for field in dataclasses.fields(evaluate):
        if field.name not in ("weights", "output_dir") and getattr(evaluate, field.name) != field.default:
            raise InputError(f"--{field.name} has no effect on a run of the human parser; leave it out.")


def score_human_parser(options: Options, folder: str) -> None:
    """Scores the human parser of a run, writes metrics.json and prints the table."""
    from tfwarpgan.evaluation.human_parser import evaluate_human_parser, write_human_parser_report
    from tfwarpgan.inference.loading import load_human_parser
    from tfwarpgan.training.runs import StageData
    from tfwarpgan.training.source import open_source

    stage_data = StageData(options, open_source(options))
    metrics = evaluate_human_parser(load_human_parser(options), stage_data.dataset("test"))
    path, table = write_human_parser_report(metrics, folder)
    print(f"\n{table}\nNumbers: {path}")


def score(
    pipeline: "WarpingGAN",
    dataset: Callable[[str], "tf.data.Dataset"],
    num_pairs: Mapping[str, int],
    options: Options,
    evaluate: EvaluateOptions,
    folder: str,
    beside: Mapping[str, "WarpingGAN"] | None = None,
) -> tuple[dict[str, str], str]:
    """Evaluates and writes the report; gives the paths of its files and its table.

    Args:
        pipeline: See `evaluator.evaluate`.
        dataset: Function, split -> data set of batches with names.
        num_pairs: Pairs of each split, dict of "train" and "test".
        options: `Options` of the run.
        evaluate: `EvaluateOptions`.
        folder: Where the report goes.
        beside: Another pipeline whose pictures stand beside this one's, by the title of their column.
    """
    from tfwarpgan.evaluation import evaluator, report
    from tfwarpgan.evaluation.baselines import mean_image
    from tfwarpgan.evaluation.samples import chosen_pictures

    mean, mean_pairs = None, 0
    if num_pairs["train"]:  # else a test-only data set
        mean, mean_pairs = mean_image(dataset("train"), _at_most(evaluate.mean_image_pairs, num_pairs["train"]))
    total = _at_most(evaluate.max_pairs, num_pairs["test"])
    evaluation = evaluator.evaluate(pipeline, dataset("test"), mean, evaluate.protocols, max_pairs=total, total=total)
    chosen = [*report.sections(evaluation, evaluate.report_pairs).values(), report.even_pairs(evaluation)]
    positions = [position for part in chosen for position in part]
    pictures = chosen_pictures(pipeline, dataset("test"), positions, options.data.batch_size, beside=beside)
    facts = {
        "split": "test",
        "dataset": options.data.dataset,
        "height": options.data.height,
        "width": options.data.width,
        "weights": evaluate.weights or options.train.run_dir,
        "parsing_source": options.train.parsing_source,
        "mean_image_training_pairs": mean_pairs,
    }
    title = f"{facts['weights']}: {len(evaluation)} test pairs of {facts['dataset']}"
    return report.write_report(evaluation, pictures, folder, facts, title, evaluate.report_pairs)


def _at_most(wanted: int, there: int) -> int:
    return min(wanted or there, there)


def cli() -> None:
    """The command."""
    takes = ("run_dir", "checkpoint", "batch_size", "parsing_source", *DATA_SET)
    run_command(main, Options, EvaluateOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
