"""Evaluates a run, or anyone's generated pictures, and writes a report.

    python -m tfwarpgan.evaluate --run_dir=RUN
    python -m tfwarpgan.evaluate --pictures=DIR --targets=DIR --output_dir=OUT

A run of the human parser is evaluated on the validation images of LIP instead, by label.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.ids import check_counts, check_windows, chosen_ids, measured_ids, note_bias
from tfwarpgan.evaluation.pictures import LAYOUTS
from tfwarpgan.flagfiles import is_run, run_options
from tfwarpgan.inference.released import released_folder, released_names
from tfwarpgan.options import DATA_SET, FINISHING, MetricOptions, NetworkOptions, Options, option

if TYPE_CHECKING:
    import tensorflow as tf

    from tfwarpgan.models.warping_gan import WarpingGAN

NO_FILES = MetricOptions()
OF_RUNS = ("weights", "beside", "quantization", "mean_image_pairs")
OF_PICTURES = ("detected", "detected_targets", "detection_scores", "identity_features")


@dataclasses.dataclass(frozen=True)
class EvaluateOptions:
    """What is scored, and where the report goes."""

    weights: str = option("", "Released weights to evaluate instead of a run, such as 'people'.")
    output_dir: str = option("", "Folder for the report; default: 'evaluation' in --run_dir.")
    max_pairs: int = option(0, "Test pairs to evaluate; 0 takes all.", minimum=0)
    mean_image_pairs: int = option(
        5000, "Training pairs whose targets are averaged for the baseline 'mean image'; 0 takes all.", minimum=0
    )
    metrics: str = option(
        "default", "Metrics by their ids (docs/evaluation.md), separated by commas; 'ssim' is all of its protocols."
    )
    quantization: str = option(
        "round",
        "How a run's images become the levels of a PNG; pose-gan and CFLD truncate.",
        choices=("round", "truncate"),
    )
    report_pairs: int = option(
        20, "Pairs in each part of the page: best, median, worst; easy, middle, hard.", minimum=1, maximum=1000
    )
    beside: str = option(
        "", "An earlier run, or released weights such as people, whose pictures the page shows beside this one's."
    )

    pictures: str = option("", "Folder of generated pictures to score instead of a run, whoever made them.")
    targets: str = option("", "With --pictures: folder of the true pictures; strips hold them.")
    pairs: str = option("", "With --pictures: CSV file of the pairs that have to be there, from,to, in their order.")
    picture_layout: str = option(
        "plain",
        "What --pictures holds: files named like their targets; strips of pose-gan (3) or PATN (5); FROM_2_TO of GFLA.",
        choices=LAYOUTS,
    )

    def __post_init__(self) -> None:
        chosen_ids(self.metrics)
        for name in ("targets", "pairs"):
            if getattr(self, name) and not self.pictures:
                raise InputError(f"--{name} has no effect without --pictures; leave it out.")

    def ids(self, parsings: bool) -> list[str]:
        """The ids of the metrics; `parsings`: whether the pairs have label maps, which the default measures too."""
        return measured_ids(self.metrics, parsings)


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


def main(options: Options, evaluate: EvaluateOptions, files: MetricOptions = NO_FILES) -> None:
    """Scores the pipeline, or pictures, and writes the report."""
    if evaluate.pictures:
        score_pictures(options, evaluate, files)
        return
    for name in OF_PICTURES:
        if getattr(files, name):
            raise InputError(f"--{name} has no effect without --pictures; leave it out.")
    folder = output_folder(options, evaluate)
    if options.train.stage == "human_parser" and not evaluate.weights:
        refuse_pairs(evaluate)
        score_human_parser(options, folder)
        return
    check_windows(evaluate.ids(parsings=True), options.data.height, options.data.width)
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

    paths, table = score(pipeline, dataset, prepared.num_pairs, options, evaluate, folder, beside, files)
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
    from tfwarpgan.training.source import open_source
    from tfwarpgan.training.stage_data import StageData

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
    files: MetricOptions = NO_FILES,
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
        files: What some metrics need.
    """
    from tfwarpgan.evaluation import evaluator, report
    from tfwarpgan.evaluation.baselines import mean_image
    from tfwarpgan.evaluation.metrics.catalog import chosen_metrics
    from tfwarpgan.evaluation.samples import chosen_pictures

    tests = dataset("test")
    has_parsings = "target_parsing" in tests.element_spec
    ids = evaluate.ids(parsings=has_parsings)
    total = _at_most(evaluate.max_pairs, num_pairs["test"])
    check_counts(ids, total)
    mean, mean_pairs = None, 0
    if num_pairs["train"]:  # else a test-only data set
        mean, mean_pairs = mean_image(dataset("train"), _at_most(evaluate.mean_image_pairs, num_pairs["train"]))
    evaluation = evaluator.evaluate(
        pipeline, tests, mean, chosen_metrics(ids), files,
        max_pairs=total, total=total, quantization=evaluate.quantization, has_parsings=has_parsings,
    )  # fmt: skip
    note_bias(ids, total)
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
        **options.networks.finishing,
        "mean_image_training_pairs": mean_pairs,
    }
    title = f"{facts['weights']}: {len(evaluation)} test pairs of {facts['dataset']}"
    return report.write_report(evaluation, pictures, folder, facts, title, evaluate.report_pairs)


def score_pictures(options: Options, evaluate: EvaluateOptions, metric_files: MetricOptions) -> None:
    """Scores the pictures of a folder, writes the report and prints the table.

    Raises:
        InputError: If there is no place for the report, or pictures and targets do not match.
    """
    check_pictures_alone(options, evaluate)
    from tfwarpgan.data.pairs.lists import read
    from tfwarpgan.evaluation import report
    from tfwarpgan.evaluation.metrics.catalog import chosen_metrics
    from tfwarpgan.evaluation.picture_evaluation import evaluate_pictures, shown_pictures
    from tfwarpgan.evaluation.picture_joints import read_poses
    from tfwarpgan.evaluation.pictures import find_pictures

    ids = evaluate.ids(parsings=False)
    metrics = chosen_metrics(ids)
    poses = read_poses(options.data, metric_files, [need for metric in metrics for need in metric.needs])
    pairs = list(read(evaluate.pairs, options.data.pair_order)) if evaluate.pairs else None
    known = poses["target"].names if "target" in poses else ()
    files = find_pictures(evaluate.pictures, evaluate.picture_layout, evaluate.targets, pairs, known)
    files = files[: evaluate.max_pairs or None]
    check_counts(ids, len(files))
    check_windows(ids, *files[0].read()[0].shape[:2])
    order = f"of {os.path.basename(evaluate.pairs)}" if evaluate.pairs else "by name"
    evaluation = evaluate_pictures(files, metrics, metric_files, poses, order, options.data.batch_size)
    note_bias(ids, len(files))
    chosen = [*report.sections(evaluation, evaluate.report_pairs).values(), report.even_pairs(evaluation)]
    shown = shown_pictures(files, [position for part in chosen for position in part])
    facts = {
        "pictures": evaluate.pictures,
        "layout": evaluate.picture_layout,
        "height": evaluation.measurement.height,
        "width": evaluation.measurement.width,
    }
    title = f"{evaluate.pictures}: {len(evaluation)} pictures"
    paths, table = report.write_report(evaluation, shown, evaluate.output_dir, facts, title, evaluate.report_pairs)
    print(f"\n{table}\nPictures: {paths['index.html']} and {paths['grid.png']}\nNumbers: {paths['metrics.json']}")


def check_pictures_alone(options: Options, evaluate: EvaluateOptions) -> None:
    """Refuses what has no meaning beside --pictures.

    Raises:
        InputError: Naming the flag.
    """
    if not evaluate.output_dir:
        raise InputError("--output_dir is missing: name the folder for the report of the pictures.")
    given = {"run_dir": bool(options.train.run_dir)} | {
        name: getattr(evaluate, name) != getattr(EvaluateOptions, name) for name in OF_RUNS
    }
    given |= {name: value != getattr(NetworkOptions, name) for name, value in options.networks.finishing.items()}
    for name, is_given in given.items():
        if is_given:
            raise InputError(f"--{name} has no effect beside --pictures; leave one of them out.")


def _at_most(wanted: int, there: int) -> int:
    return min(wanted or there, there)


def cli() -> None:
    """The command."""
    takes = ("run_dir", "checkpoint", "batch_size", "parsing_source", *FINISHING, *DATA_SET)
    run_command(main, Options, EvaluateOptions, MetricOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
