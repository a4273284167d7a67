"""Validation: scores by hand, the best checkpoint, the early stop, and what later commands read."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.inference import loading
from tfwarpgan.inference.checkpoints import checkpoints_in, steps_of
from tfwarpgan.inference.scores import Scores, read_scores, write_scores
from tfwarpgan.layers.transforms import affine_grid
from tfwarpgan.models import build
from tfwarpgan.options import Options, TrainOptions
from tfwarpgan.training import distribution, runs, validation
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.stage_data import StageData
from tfwarpgan.training.stages import TRAINERS
from tfwarpgan.training.workers import Workers

STAGE = "geometric_matcher"


@pytest.fixture
def run(options, market, tmp_path):
    """Function of changes of `TrainOptions` -> `Options` of the matcher on a data set of four drawn persons."""
    places = {"dataset": "market1501", "data_dir": str(market), "prepared_dir": str(tmp_path / "prepared")}
    data = dataclasses.replace(options.data, **places)
    first = {"run_dir": str(tmp_path / "run"), "stage": STAGE, "validate_every": 1, "matcher_steps": 6}

    def make(**changes):
        train = dataclasses.replace(options.train, **{**first, **changes})
        return dataclasses.replace(options, data=data, train=train)

    return make


def scored(monkeypatch, *scores):
    """Makes a stage's validations give these scores, one after the other."""
    left = iter(scores)
    monkeypatch.setattr(runs, "scorer", lambda *arguments: lambda: {"validation_mean_iou": next(left)})


class Still:
    """A matcher that leaves the condition where it is."""

    def __call__(self, inputs, **kwargs):
        parsing = inputs["condition_parsing"]
        return {"grid": affine_grid(tf.tile([[1.0, 0, 0, 0, 1, 0]], [tf.shape(parsing)[0], 1]), *parsing.shape[1:3])}


class Trainer:
    averages = ()

    def __init__(self, **networks):
        self.networks = networks


def test_the_matcher_is_scored_by_the_overlap_after_warping(options, batch):
    labels = np.zeros([4, 32, 32], np.uint8)
    target = labels.copy()
    labels[:, :, :8], target[:, :, :16] = 5, 5
    batch = {**batch, "condition_parsing": tf.constant(labels), "target_parsing": tf.constant(target)}
    score = validation.scorer(STAGE, Trainer(geometric_matcher=Still()), options, [batch])()
    # Of label 5 half is covered; of background, 16 columns of 24.
    wanted = {"validation_mean_iou": (8 / 16 + 16 / 24) / 2, "validation_pixel_accuracy": 24 / 32}
    assert score == pytest.approx(wanted)


def test_the_generator_is_scored_by_ssim_and_every_worker_gets_the_total(options, batch):
    trainer = Trainer()
    trainer.pipeline = lambda batch: {"image": batch["target_image"]}
    part = {name: value[:1] for name, value in batch.items()}
    score = validation.scorer("warping_generator", trainer, options, [batch, part])()
    assert score == {"validation_ssim": pytest.approx(1.0, abs=1e-4), "validation_l1": pytest.approx(0.0, abs=0.01)}

    def total(sums):
        assert sums["pairs"] == 1
        return {"ssim": sums["ssim"] + 0.25, "l1": sums["l1"] + 0.5, "pairs": sums["pairs"] + 1}

    score = validation.scorer("warping_generator", trainer, options, [part], total)()
    assert score == {"validation_ssim": pytest.approx(0.625, abs=1e-4), "validation_l1": pytest.approx(0.25, abs=0.01)}


def test_a_running_mean_is_what_is_scored(options, batch, mirrored):
    with mirrored.scope():
        trainer = TRAINERS[STAGE](options)
        trainer.compile_networks(lambda name: make_optimizer(options.train, 10), ema=0.9)
    network = trainer.networks[STAGE]
    own = network.get_weights()
    score = validation.scorer(STAGE, trainer, options, [batch])
    untrained = score()
    for average in trainer.averages:
        average.assign(average + 1.0)
    with validation.averaged(trainer):
        for before, within in zip(own, network.get_weights(), strict=True):
            np.testing.assert_allclose(within, before + 1.0)
    assert score() != untrained
    for before, after in zip(own, network.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)


def test_a_stage_ends_early_and_its_best_checkpoint_can_be_chosen(run, monkeypatch, capsys):
    scored(monkeypatch, 0.2, 0.5, 0.4, 0.5)
    options = run(patience=2, keep_checkpoints=2)
    assert runs.train(options)
    assert "finished early at step 4: 2 validations in a row were no better" in capsys.readouterr().out
    assert runs.train(options)
    assert "4 steps are done, nothing to train" in capsys.readouterr().out
    folder = os.path.join(options.train.run_dir, STAGE)
    assert [steps_of(path) for path in checkpoints_in(os.path.join(folder, "best"))] == [2]
    scores = read_scores(folder)
    assert scores.best == (2, 0.5) and list(scores.values.values()) == [0.2, 0.5, 0.4, 0.5]

    def weights(which):
        chosen = dataclasses.replace(options, train=dataclasses.replace(options.train, checkpoint=which))
        return loading.load_trained(build.geometric_matcher(options), chosen, STAGE).get_weights()

    def differ(first, second):
        return any(np.any(one != two) for one, two in zip(first, second, strict=True))

    assert differ(weights("best"), weights("last"))
    assert not differ(weights("2"), weights("best")) and not differ(weights("4"), weights("last"))
    with pytest.raises(InputError, match="no checkpoint of step 3 of the stage geometric_matcher, but of 2, 4: name"):
        weights("3")
    assert "note:" not in capsys.readouterr().err
    shutil.rmtree(os.path.join(folder, "best"))
    with pytest.raises(InputError, match="no best checkpoint of the stage geometric_matcher: train it with --valid"):
        weights("best")


def test_scores_of_lost_steps_are_measured_again(options, tmp_path):
    folder = tmp_path / STAGE
    write_scores(str(folder), Scores("validation_mean_iou", {1: 0.1, 2: 0.2, 3: 0.9}, (3, 0.9)))  # of a killed run
    train = dataclasses.replace(options.train, run_dir=str(tmp_path), validate_every=1, matcher_steps=4)
    found, watched = iter([0.3, 0.4]), []
    callback = validation.Validation(
        STAGE, dataclasses.replace(options, train=train), lambda: {"validation_mean_iou": next(found)},
        lambda step, scores: watched.append((step, scores)),
    )  # fmt: skip
    trainer = Trainer()
    trainer.steps_done, trainer.stop_training = 2, False
    callback.set_model(trainer)
    callback.on_train_begin()
    for trainer.steps_done in (2, 3, 3, 4):  # a scaled loss made one void
        callback.on_train_batch_end(0)
    callback.on_train_end()
    assert [step for step, _ in watched] == [3, 4] and not trainer.stop_training
    scores = read_scores(str(folder))
    assert list(scores.values.values()) == [0.1, 0.2, 0.3, 0.4] and scores.best == (3, 0.9)


def test_patience_begins_after_the_pretraining_and_the_best():
    scores = Scores()
    for step, score in ((10, 0.1), (20, 0.4), (30, 0.3), (40, 0.2)):
        scores = scores.added("x", step, score)
    assert (scores.stale(), scores.stale(30), scores.until(30).stale()) == (2, 1, 1)
    train = TrainOptions(patience=2, matcher_pretraining_steps=30, matcher_steps=50)
    assert scores.ended(train, "pose_guided_parser") and not scores.ended(train, STAGE)
    assert not Scores().ended(TrainOptions(), STAGE)


def test_what_cannot_be_is_said(tmp_path):
    (tmp_path / "validation.json").write_text("{")
    with pytest.raises(InputError, match="validation.json is damaged"):
        read_scores(str(tmp_path))
    for wrong, said in (
        ({"checkpoint": "newest"}, "must be last, best or"),
        ({"patience": 3, "validate_every": 0}, "needs --validate_every"),
        ({"decay": "cosine"}, "needs --decay_from"),
    ):
        with pytest.raises(InputError, match=said):
            TrainOptions(**wrong)


def test_validation_pairs_lie_evenly_over_the_split(run):
    options = run(validation_pairs=3)
    stage_data = StageData(options, runs.open_source(options))
    pairs = [batch["target_keypoints"].numpy() for batch in stage_data.validation()]
    everything = np.concatenate([batch["target_keypoints"].numpy() for batch in stage_data.dataset("test")])
    last = len(everything) - 1
    np.testing.assert_array_equal(np.concatenate(pairs), everything[[0, round(last / 2), last]])
    assert Options().train.validation_pairs == 256


def add_up(workers, path):
    """What a worker of two gets as the total of both."""
    sums = {"pairs": np.float64(workers.index + 1), "ssim": np.full([2], 0.1 + workers.index / 3)}
    np.savez(path, **distribution.total(sums, distribution.choose_strategy(None, workers), workers))


def test_workers_share_the_pairs_and_get_the_same_total(run, processes, tmp_path):
    of_two = [Workers(processes.addresses(2), 0)]
    of_two.append(dataclasses.replace(of_two[0], index=1))
    started = [
        processes.start(add_up, workers, tmp_path / f"{workers.index}.npz", log=tmp_path / f"log{workers.index}")
        for workers in of_two
    ]
    options = run(validation_pairs=5)
    source = runs.open_source(options)
    shares = [runs.StageData(options, source, workers).validation() for workers in (Workers(), *of_two)]
    whole, *parts = [np.concatenate([batch["target_keypoints"].numpy() for batch in share]) for share in shares]
    assert [len(part) for part in parts] == [3, 2]
    np.testing.assert_array_equal(whole[::2], parts[0])
    np.testing.assert_array_equal(whole[1::2], parts[1])
    assert processes.ends(started) == [0, 0], [(tmp_path / f"log{index}").read_text()[-3000:] for index in range(2)]
    first, second = (np.load(tmp_path / f"{index}.npz") for index in range(2))
    np.testing.assert_allclose(first["ssim"], [0.2 + 1 / 3] * 2, rtol=1e-12)
    for name in ("pairs", "ssim"):
        np.testing.assert_array_equal(first[name], second[name])
    assert first["pairs"] == 3
