"""The command: where the report goes, what is refused, and one evaluation from data to report with a fake pipeline."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan import evaluate
from tfwarpgan.data.joints import pose_gan
from tfwarpgan.errors import InputError
from tfwarpgan.evaluate import EvaluateOptions
from tfwarpgan.evaluation.metrics import ids
from tfwarpgan.evaluation.metrics.masks import posegan_mask
from tfwarpgan.evaluation.metrics.ssim import PROTOCOLS, window
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options import (
    RUN_FLAGFILE,
    DataOptions,
    MetricOptions,
    NetworkOptions,
    Options,
    TrainOptions,
    check_places,
)

SIDE = 32


def make_dataset(count, batch_size=2):
    """Pairs with names: the condition is black, each pair's target has one gray level, all is background."""
    levels = np.linspace(-0.5, 0.5, count, dtype=np.float32)[:, None, None, None]
    pairs = {
        "condition_image": np.full((count, SIDE, SIDE, 3), -1, np.float32),
        "target_image": np.broadcast_to(levels, (count, SIDE, SIDE, 3)),
        "condition_parsing": np.zeros((count, SIDE, SIDE), np.uint8),
        "target_parsing": np.zeros((count, SIDE, SIDE), np.uint8),
        **{f"{side}_keypoints": np.full((count, 18, 2), 8, np.float32) for side in ("condition", "target")},
        **{f"{side}_visible": np.ones((count, 18), bool) for side in ("condition", "target")},
        "condition_name": np.array([f"a{index}.jpg" for index in range(count)]),
        "target_name": np.array([f"b{index}.jpg" for index in range(count)]),
    }
    return tf.data.Dataset.from_tensor_slices(pairs).batch(batch_size)


def perfect(batch):
    parsing = tf.one_hot(tf.cast(batch["target_parsing"], tf.int32), 20)
    image = batch["target_image"]
    return {"image": image, "warped_image": image, "warped_parsing": parsing, "parsing_logits": parsing}


@dataclasses.dataclass
class FakePrepared:
    num_pairs: dict


@pytest.fixture
def fakes(monkeypatch):
    asked = []

    def pairs_dataset(prepared, data, split="train", *, start=0, names=False):
        assert names and not data.flip
        asked.append(split)
        return make_dataset(3).repeat() if split == "train" else make_dataset(5)

    monkeypatch.setattr("tfwarpgan.inference.loading.load_pipeline", lambda options, weights="": perfect)
    monkeypatch.setattr(
        "tfwarpgan.data.records.preparation.prepare", lambda data: FakePrepared({"train": 3, "test": 5})
    )
    monkeypatch.setattr("tfwarpgan.data.batches.pairs.pairs_dataset", pairs_dataset)
    return asked


def options(run_dir, **data):
    return Options(DataOptions(height=SIDE, width=SIDE, batch_size=2, **data), train=TrainOptions(run_dir=str(run_dir)))


def test_from_data_to_report(tmp_path, fakes, capsys):
    evaluate.main(options(tmp_path, flip=True), EvaluateOptions(metrics="default,ssim/uniform7"))
    assert fakes == ["test", "train", "test"]
    folder = tmp_path / "evaluation"
    content = json.loads((folder / "metrics.json").read_text())
    assert content["pairs"] == 5 and content["mean_image_training_pairs"] == 3 and content["height"] == SIDE
    assert [name for name in content["metrics"] if not name.startswith("color_")] == [
        "ssim_gaussian", "l1", "psnr_255", "ssim_uniform7", "ssim_person", "l1_person", "detail", "texture",
        "parsing_miou", "matcher_miou_target", "matcher_miou_synthesized",
    ]  # fmt: skip
    l1 = content["metrics"]["l1"]
    # Targets are -.5, -.25, 0, .25, .5: a black picture is 1 away on average, gray 128 (1 / 255 for the mean 0) .3.
    np.testing.assert_allclose([l1["baselines"]["copy_condition"], l1["baselines"]["mean_image"]], [1, 0.3], atol=2e-3)
    assert l1["model"] < 0.004 and l1["beats_baselines"]
    assert not content["metrics"]["parsing_miou"]["beats_baselines"]  # all is background: equal is not better
    page = (folder / "index.html").read_text()
    assert page.count("<img") == (3 * 5 + 5) * 6 and "a4.jpg" in page
    assert Image.open(folder / "grid.png").size[1] > 5 * 2 * SIDE
    printed = capsys.readouterr().out
    assert str(folder / "index.html") in printed and "5 test pairs" in printed


def test_some_pairs_into_another_folder(tmp_path, fakes):
    evaluate.main(options(tmp_path), EvaluateOptions(output_dir=str(tmp_path / "x"), max_pairs=3, mean_image_pairs=1))
    content = json.loads((tmp_path / "x" / "metrics.json").read_text())
    assert content["pairs"] == 3 and content["mean_image_training_pairs"] == 1
    assert len((tmp_path / "x" / "pairs.csv").read_text().splitlines()) == 4


@pytest.fixture
def human_parser_run(tmp_path):
    """Options of a run whose human parser says upper-clothes (5) everywhere; half of the pictures' pixels are that."""
    from tfwarpgan.compat import variables_of
    from tfwarpgan.inference.checkpoints import stage_folder
    from tfwarpgan.models import build

    labels = np.full((SIDE, SIDE), 5, np.uint8)
    labels[: SIDE // 2] = 9
    for split in ("train", "val"):
        folders = "lip/TrainVal_images", f"{split}_images", "lip/TrainVal_parsing_annotations", f"{split}_segmentations"
        pictures, maps = tmp_path / folders[0] / folders[1], tmp_path / folders[2] / folders[3]
        for folder in (pictures, maps):
            folder.mkdir(parents=True)
        for name in ("a", "b", "c"):
            Image.fromarray(labels).convert("RGB").save(pictures / f"{name}.jpg")
            Image.fromarray(labels).save(maps / f"{name}.png")
        (tmp_path / f"lip/{split}_id.txt").write_text("a\nb\nc\n")
    made = Options(
        DataOptions(height=SIDE, width=SIDE, batch_size=2, prepared_dir=str(tmp_path / "prepared")),
        NetworkOptions(human_parser_width=8, human_parser_weights="none"),
        train=TrainOptions(run_dir=str(tmp_path / "run"), stage="human_parser"),
    )
    parser = build.human_parser(made)
    parser.classify.set_weights([np.zeros([1, 1, 4, 20]), np.eye(20)[5]])
    checkpoint = tf.train.Checkpoint(human_parser=variables_of(parser))
    tf.train.CheckpointManager(checkpoint, stage_folder(made.train.run_dir, "human_parser"), max_to_keep=1).save()
    return made


@pytest.mark.parametrize(
    "data", [{"lip_dir": "lip"}, {"dataset": "lip", "lip_dir": "lip"}, {"dataset": "lip", "data_dir": "lip"}], ids=str
)
def test_a_human_parser_is_scored_wherever_its_pictures_are_named(human_parser_run, tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    made = dataclasses.replace(human_parser_run, data=dataclasses.replace(human_parser_run.data, **data))
    check_places(made)  # what the training accepts
    evaluate.main(made, EvaluateOptions())
    metrics = json.loads((tmp_path / "run/evaluation/metrics.json").read_text())
    assert metrics["iou"]["upper-clothes"] == metrics["pixel_accuracy"] == pytest.approx(0.5, abs=0.1)
    assert metrics["iou"]["pants"] == 0.0 and metrics["iou"]["hat"] is None


def test_a_human_parser_is_scored_on_pictures_in_a_store(human_parser_run, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tfwarpgan.data.layouts.opening.local_copy", lambda path: str(tmp_path / path.removeprefix("s3://x/"))
    )
    data = dataclasses.replace(human_parser_run.data, lip_dir="s3://x/lip")
    evaluate.main(dataclasses.replace(human_parser_run, data=data), EvaluateOptions())
    assert (tmp_path / "run/evaluation/metrics.json").exists()


def test_where_the_report_goes():
    assert evaluate.output_folder(options("runs/a"), EvaluateOptions()) == "runs/a/evaluation"
    assert evaluate.output_folder(options("runs/a"), EvaluateOptions(output_dir="b", weights="people")) == "b"
    with pytest.raises(InputError, match="--output_dir is missing"):
        evaluate.output_folder(options("runs/a"), EvaluateOptions(weights="people"))
    with pytest.raises(InputError, match="--run_dir is missing"):
        evaluate.output_folder(options(""), EvaluateOptions())


def test_ids_of_the_metrics():
    assert EvaluateOptions().ids(parsings=False) == ["ssim/gaussian", "l1/range2", "psnr/255"]
    assert EvaluateOptions().ids(parsings=True)[3:] == list(ids.OF_PARSINGS)
    assert EvaluateOptions(metrics="psnr, psnr/255").ids(parsings=True) == ["ssim/gaussian", "psnr/255"]
    assert {id: len(window(id.partition("/")[2])) for id in ids.WINDOWS} == ids.WINDOWS
    assert set(ids.WINDOWS) == {f"ssim/{name}" for name in PROTOCOLS}
    with pytest.raises(InputError, match="--metrics: 'ssim/best' must be default, or one of ssim/gaussian"):
        EvaluateOptions(metrics="ssim/gaussian,ssim/best")
    with pytest.raises(InputError, match=r"--metrics: '\+black3' in 'ssim/gaussian\+black3' must be \+white40"):
        EvaluateOptions(metrics="ssim/gaussian+black3")


def test_a_window_larger_than_the_pictures_is_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(InputError, match="ssim/win51 needs images of at least 51 x 51 pixels, .* 32 x 32"):
        evaluate.main(options(tmp_path), EvaluateOptions(metrics="ssim/uniform7,ssim/win51"))


def test_flags_of_pairs_are_refused_for_a_human_parser(tmp_path):
    parser = dataclasses.replace(options(tmp_path), train=TrainOptions(run_dir=str(tmp_path), stage="human_parser"))
    for wanted in ({"beside": "people"}, {"max_pairs": 3}):
        with pytest.raises(InputError, match=f"--{next(iter(wanted))} has no effect on a run of the human parser"):
            evaluate.main(parser, EvaluateOptions(**wanted))


def test_beside_is_a_run_or_released_weights_of_the_same_size(tmp_path, monkeypatch):
    monkeypatch.setattr("tfwarpgan.inference.loading.load_pipeline", lambda options, weights: (weights, options))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people").mkdir()  # no run
    large = options("runs/a")
    large = dataclasses.replace(large, data=dataclasses.replace(large.data, height=128, width=64))
    assert [loaded[0] for loaded in evaluate.load_beside(large, "people").values()] == ["people"]
    with pytest.raises(InputError, match="--beside=people makes images of 128 x 64 .*, and this run of 32 x 32"):
        evaluate.load_beside(options("runs/a"), "people")
    with pytest.raises(InputError, match=r"--beside=cats is neither the folder of a run nor released .*people"):
        evaluate.load_beside(large, "cats")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / RUN_FLAGFILE).write_text(to_flagfile(options("elsewhere")))
    ((title, (weights, other)),) = evaluate.load_beside(options("runs/a"), "cats").items()
    assert (title, weights, other.train.run_dir) == ("synthesized by cats", "", "cats")


def test_the_command_ends_with_one_sentence():
    command = [sys.executable, "-m", "tfwarpgan.evaluate", "--metrics=best", "--output_dir=x"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=pathlib.Path(__file__).parents[1])
    assert result.returncode == 2
    assert result.stderr.startswith("error: --metrics: 'best'") and result.stderr.count("\n") == 1


def test_pictures_of_anyone_are_scored(tmp_path, capsys):
    random = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        for folder in ("generated", "true"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(random.integers(0, 256, (SIDE, 24, 3), np.uint8)).save(tmp_path / folder / f"{name}.png")
    chosen = EvaluateOptions(
        pictures=str(tmp_path / "generated"), targets=str(tmp_path / "true"), output_dir=str(tmp_path / "out"),
        metrics="ssim/posegan+white4,l1/range255",
    )  # fmt: skip
    evaluate.main(options(""), chosen)
    content = json.loads((tmp_path / "out/metrics.json").read_text())
    assert content["pairs"] == 3 and (content["height"], content["width"]) == (SIDE, 24)
    assert list(content["metrics"]) == ["ssim_gaussian", "ssim_posegan+white4", "l1_range255"]
    assert "padding 4 white columns" in content["metrics"]["ssim_posegan+white4"]["measured"]
    pictures = [[np.asarray(Image.open(path)).astype(float) for path in sorted((tmp_path / folder).iterdir())]
                for folder in ("generated", "true")]  # fmt: skip
    expected = np.mean([np.abs(a - b).mean() for a, b in zip(*pictures)])
    assert content["metrics"]["l1_range255"]["model"] == pytest.approx(expected)
    rows = (tmp_path / "out/pairs.csv").read_text().splitlines()
    assert rows[0] == "from,to,ssim_gaussian_model,ssim_posegan+white4_model,l1_range255_model"
    assert [row.split(",")[1] for row in rows[1:]] == ["a", "b", "c"]
    assert "3 test pairs" in capsys.readouterr().out
    assert (tmp_path / "out/index.html").read_text().count("<img") == 3 * 3 * 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output_dir": ""}, "--output_dir is missing"),
        ({"weights": "people"}, "--weights has no effect beside --pictures"),
        ({"targets": ""}, "--targets is missing"),
        ({"pictures": "nowhere"}, "--pictures=nowhere is not a folder"),
        ({"metrics": "ssim/person"}, "ssim/person needs label maps"),
        ({"metrics": "ssim/gaussian+mask/posegan"}, "needs the joints of the targets; give --keypoints"),
        ({"metrics": "pckh"}, "pckh/patn needs the joints of the targets"),
        ({"metrics": "fid/clean"}, "fid/clean of 1 pictures .* it needs 2048: take kid/clean instead"),
        ({"metrics": "ssim/win51"}, "ssim/win51 needs images of at least 51 x 51 pixels"),
        ({"quantization": "truncate"}, "--quantization has no effect beside --pictures"),
    ],
    ids=str,
)
def test_what_pictures_need(tmp_path, changes, message):
    for folder in ("generated", "true"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(tmp_path / folder / "a.png")
    values = {"pictures": str(tmp_path / "generated"), "targets": str(tmp_path / "true"), "output_dir": "never"}
    with pytest.raises(InputError, match=message):
        evaluate.main(options(""), EvaluateOptions(**(values | changes)))
    assert not pathlib.Path("never").exists()
    with pytest.raises(InputError, match="--targets has no effect without --pictures"):
        EvaluateOptions(targets="x")
    with pytest.raises(InputError, match="--detected has no effect without --pictures"):
        evaluate.main(options(tmp_path), EvaluateOptions(), MetricOptions(detected="x"))


def test_strips_with_joints_of_an_annotation_and_of_a_detector(tmp_path):
    """Masks need the target's joints, PCKh those of a detector too; names are split where both halves are known."""
    random = np.random.default_rng(0)
    (tmp_path / "strips").mkdir()
    strip = random.integers(0, 256, (SIDE, 3 * SIDE, 3), np.uint8)
    Image.fromarray(strip).save(tmp_path / "strips" / "0001_c1.jpg_0001_c2.jpg.png")
    places = np.stack([np.arange(18) + 4, 20 - np.arange(18)], axis=1)
    rows = [pose_gan.annotation_row(f"0001_c{n}.jpg", places + n, np.ones(18, bool)) for n in (1, 2)]
    (tmp_path / "joints.csv").write_text("\n".join(["name:keypoints_y:keypoints_x", *rows]) + "\n")
    found = pose_gan.annotation_row("0001_c1.jpg_0001_c2.jpg.png", places + 2, np.arange(18) != 17)
    (tmp_path / "detected.csv").write_text(f"name:keypoints_y:keypoints_x\n{found}\n")
    evaluate.main(
        options("", keypoints=str(tmp_path / "joints.csv")),
        EvaluateOptions(
            pictures=str(tmp_path / "strips"), picture_layout="posegan", output_dir=str(tmp_path / "out"),
            metrics="l1/range255,l1/range255+mask/posegan,l1/range255+mask/pg2-condition,pckh,akd,mkr",
        ),
        MetricOptions(detected=str(tmp_path / "detected.csv"), detected_format="pose_gan", detector="drawn"),
    )  # fmt: skip
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())["metrics"]
    target, generated = (strip[:, panel * SIDE : (panel + 1) * SIDE].astype(float) for panel in (1, 2))
    mask = posegan_mask(places + 2, np.ones(18, bool), (SIDE, SIDE))
    expected = (np.abs(target - generated) * mask[..., None]).mean()
    assert metrics["l1_range255+mask_posegan"]["model"] == pytest.approx(expected)
    assert 0 < metrics["l1_range255+mask_pg2-condition"]["model"] < metrics["l1_range255"]["model"]
    assert metrics["pckh_patn"]["model"] == metrics["mkr_mean"]["model"] * 17 == 17 / 18
    assert metrics["akd_mean"]["model"] == 0 and "weights detector drawn" in metrics["akd_mean"]["measured"]
    assert (tmp_path / "out/pairs.csv").read_text().splitlines()[1].startswith("0001_c1,0001_c2,")
