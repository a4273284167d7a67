"""Whole runs on a tiny data set: every stage, resumption, interruption, and what a user hears of mistakes."""

import dataclasses
import glob
import os
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan import traces
from tfwarpgan.data.joints.stature import STATURE_FILE, read_stature
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.inference import loading
from tfwarpgan.inference.checkpoints import stage_folder
from tfwarpgan.options import FINISHING, Options, stages_of
from tfwarpgan.training import runs, trainer
from tfwarpgan.training.checkpoints import StageCheckpoints
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.stages import TRAINERS


@pytest.fixture
def run_options(options, market, tmp_path):
    """The smallest options on a data set of four drawn persons."""
    data = dataclasses.replace(
        options.data, dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path / "prepared")
    )
    train = dataclasses.replace(options.train, run_dir=str(tmp_path / "run"))
    return dataclasses.replace(options, data=data, train=train)


@pytest.fixture(scope="module")
def trained(options, drawn_market, tmp_path_factory):
    """Options of a run of all stages, which are trained; for reading."""
    folder = tmp_path_factory.mktemp("trained")
    places = {"data_dir": str(drawn_market), "prepared_dir": str(folder / "prepared")}
    data = dataclasses.replace(options.data, dataset="market1501", **places)
    options = changed(dataclasses.replace(options, data=data), run_dir=str(folder / "run"))
    assert runs.train(options)
    return options


@pytest.fixture
def copied(trained, tmp_path):
    """Options of a copy of that run."""
    return changed(trained, run_dir=str(shutil.copytree(trained.train.run_dir, tmp_path / "copied")))


def changed(options, **fields):
    return dataclasses.replace(options, train=dataclasses.replace(options.train, **fields))


def restored(options, stage):
    """The stage's networks and optimizers as its latest checkpoint has them, and the step."""
    trainer = TRAINERS[stage](options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 3))
    step = StageCheckpoints(trainer, stage_folder(options.train.run_dir, stage)).restore()
    moments = [np.asarray(v) for optimizer in trainer.optimizers.values() for v in optimizer.variables]
    return [*next(iter(trainer.networks.values())).get_weights(), *moments], step


def test_a_run_carries_where_its_people_stand(trained):
    (prepared,) = glob.glob(os.path.join(trained.data.prepared_dir, "**", STATURE_FILE), recursive=True)
    assert read_stature(trained.train.run_dir) == read_stature(os.path.dirname(prepared))


def scalars(run_dir):
    """Tag -> steps of everything in the event files of the run's root."""
    found = {}
    for name in sorted(os.listdir(run_dir)):
        if "tfevents" not in name:
            continue
        for event in tf.compat.v1.train.summary_iterator(os.path.join(run_dir, name)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


def test_all_stages_run_in_order_and_finished_ones_are_skipped(trained, capsys):
    run_dir = trained.train.run_dir
    with open(os.path.join(run_dir, "options.flags")) as file:
        assert file.read() == to_flagfile(trained)
    tags = scalars(run_dir)
    for tag in (
        "pose_guided_parser/cross_entropy", "pose_guided_parser/pictures", "geometric_matcher/miou_before",
        "geometric_matcher/miou_after", "warping_generator/pixel", "warping_generator/gate",
        "warping_generator/learning_rate", "warping_generator/images_per_second", "warping_generator/pictures",
    ):  # fmt: skip
        assert tag in tags
    assert tags["warping_generator/pixel"] == [1, 2, 3]
    assert tags["warping_generator/pictures"] == [2, 3]
    assert not any("skipped_steps" in tag for tag in tags)

    before = {stage: saved(trained, stage) for stage in stages_of(trained)}
    assert all(before.values())
    capsys.readouterr()
    assert runs.train(trained)
    assert capsys.readouterr().out.count("nothing to train") == 3
    assert {stage: saved(trained, stage) for stage in before} == before


def test_a_finished_run_is_used_without_a_word(trained, capsys):
    pipeline = loading.load_pipeline(trained)
    assert set(pipeline.networks) == {"pose_guided_parser", "geometric_matcher", "warping_generator"}
    assert "note:" not in capsys.readouterr().err


def test_a_resumed_run_ends_like_one_that_never_stopped(run_options, tmp_path):
    """In float16 the first steps are void, and their batches are not read again; `test_kills` has float32."""
    course = {"stage": "pose_guided_parser", "parser_steps": 5, "precision": "mixed_float16", "decay_from": 0.0}
    whole = changed(run_options, run_dir=str(tmp_path / "whole"), **course)
    halves = changed(run_options, run_dir=str(tmp_path / "halves"), **course)
    assert runs.train(whole)
    assert runs.train(changed(halves, stop_at=2))
    assert "ckpt-2.index" in os.listdir(stage_folder(halves.train.run_dir, "pose_guided_parser"))
    assert runs.train(halves)
    one, step = restored(whole, "pose_guided_parser")
    two, _ = restored(halves, "pose_guided_parser")
    assert step == 5
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(second, first, atol=1e-5)
    skipped = [steps for tag, steps in scalars(halves.train.run_dir).items() if "skipped_steps" in tag]
    assert skipped == [[1, 2, 3, 4, 5]] * 2


def saved(options, stage):
    """Name -> bytes of the stage's checkpoints."""
    folder = stage_folder(options.train.run_dir, stage)
    return {
        name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder)) if "ckpt-" in name
    }


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_run_that_goes_wrong_ends_and_keeps_its_last_checkpoint(precision, run_options, monkeypatch, capsys):
    """A learning rate that is infinite in float32 leaves no weight sound: no later step has a finite loss."""
    monkeypatch.setattr(trainer, "MOST_SKIPPED", 8)
    course = {"stage": "pose_guided_parser", "parser_steps": 500, "precision": precision}
    options = changed(run_options, **course, log_every=10, checkpoint_every=10, pictures_every=10)
    assert runs.train(changed(options, stop_at=2))
    before = saved(options, "pose_guided_parser")
    scaled = ", 9 times in a row at ever lower scales of the loss" if precision == "mixed_float16" else ""
    told = rf"^pose_guided_parser: not finite at step 4{scaled}: .+; the run ends, and .*ckpt-2 is kept: run again"
    with pytest.raises(InputError, match=told):
        runs.train(changed(options, learning_rate=1e39))
    assert before and saved(options, "pose_guided_parser") == before

    note = "note: this run had --learning_rate=0.0002 until now (pose_guided_parser 2); options.flags keeps that."
    assert note in capsys.readouterr().err.splitlines()
    with open(os.path.join(options.train.run_dir, "options.flags")) as file:
        assert file.read().startswith("# Until pose_guided_parser 2:\n#   --learning_rate=0.0002\n--dataset=")


def test_a_signal_saves_before_it_stops(run_options, monkeypatch, capsys):
    options = changed(run_options, stage="pose_guided_parser", parser_steps=50, checkpoint_every=1000)

    class Interrupting(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done == 2:
                os.kill(os.getpid(), signal.SIGINT)

    watching = runs._watching
    monkeypatch.setattr(runs, "_watching", lambda *arguments: [Interrupting(), *watching(*arguments)])
    assert not runs.train(options)
    assert "stopped at step" in capsys.readouterr().out
    _, step = restored(options, "pose_guided_parser")
    assert 2 <= step <= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_end_of_a_stage_ends_the_run_before_the_next_one(run_options, monkeypatch, capsys, number):
    options = changed(run_options, parser_steps=1)

    class Interrupting(tf.keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            os.kill(os.getpid(), number)

    watching = runs._watching
    monkeypatch.setattr(runs, "_watching", lambda *arguments: [Interrupting(), *watching(*arguments)])
    before = signal.getsignal(number)
    assert not runs.train(options)
    assert signal.getsignal(number) is before
    assert "Stopped before geometric_matcher; run again to go on." in capsys.readouterr().out
    assert restored(options, "pose_guided_parser")[1] == 1
    assert not os.path.exists(stage_folder(options.train.run_dir, "geometric_matcher"))
    assert runs.train(changed(options, stage="pose_guided_parser"))  # nothing is left of it


def test_a_signal_while_data_are_prepared_ends_the_run_at_once(run_options, monkeypatch):
    def prepare(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("went on")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(runs, "StageData", prepare)
    with pytest.raises(KeyboardInterrupt):
        runs.train(run_options)
    assert signal.getsignal(signal.SIGTERM) is before


def test_profile_has_a_marker_a_step(run_options):
    options = changed(run_options, stage="geometric_matcher", profile_steps="2,3")
    assert runs.train(options)
    files = traces.newest(options.train.run_dir)
    ((name, found),) = traces.steps(files).items()
    assert name == "train" and list(found) == [2, 3] and all(milliseconds > 0 for milliseconds in found.values())
    times, _ = traces.operations(files)
    assert any("Conv2D" in kind for kind in times)


def test_steps_that_are_done_or_never_come_are_not_profiled_without_a_word(run_options, capsys):
    for steps in ("2000,2010", "1,2", "3001,3002"):
        options = changed(run_options, profile_steps=steps)
        watching = runs._watching("geometric_matcher", options, options.train.run_dir, 2000, 3000, (None, None))
        assert not any(isinstance(callback, runs.callbacks.Profile) for callback in watching)
        told = f"note: --profile_steps={steps} records nothing: geometric_matcher trains steps 2,001 to 3,000."
        assert capsys.readouterr().err.splitlines() == [told]
    options = changed(run_options, profile_steps="2001,2002")
    watching = runs._watching("geometric_matcher", options, options.train.run_dir, 2000, 3000, (None, None))
    assert isinstance(watching[0], runs.callbacks.Profile) and not capsys.readouterr().err


def test_generator_needs_the_stages_before_it(run_options):
    with pytest.raises(InputError, match="--stage=pose_guided_parser"):
        runs.train(changed(run_options, stage="warping_generator"))


def test_a_stage_that_is_not_done_is_told_once_and_used(copied, capsys):
    options = changed(copied, parser_steps=5)
    assert runs.train(changed(options, stage="warping_generator", generator_steps=4))
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "has done" in line]
    assert line.endswith("note: pose_guided_parser has done 3 of 5 steps; --stage=pose_guided_parser trains the rest.")
    loading.load_pipeline(changed(options, generator_steps=40_000))
    first, second = capsys.readouterr().err.splitlines()
    assert "pose_guided_parser has done 3 of 5 steps" in first
    assert "warping_generator has done 4 of 40,000 steps" in second


def test_a_run_of_other_sizes_is_not_resumed(trained):
    networks = dataclasses.replace(trained.networks, parser_width=8)
    with pytest.raises(InputError, match="contains a run with --parser_width=4: "):
        runs.train(changed(dataclasses.replace(trained, networks=networks), parser_steps=9))
    with open(os.path.join(trained.train.run_dir, "options.flags")) as file:
        assert file.read() == to_flagfile(trained)  # what was there is as it was


def test_a_start_that_is_refused_leaves_the_flags_as_they_were(copied, monkeypatch):
    def refuse(checkpoints):
        raise InputError("no")

    monkeypatch.setattr(StageCheckpoints, "restore", refuse)
    with pytest.raises(InputError, match="^no$"):
        runs.train(changed(copied, parser_steps=9, learning_rate=1e-5))
    with open(os.path.join(copied.train.run_dir, "options.flags")) as file:
        assert "learning_rate=1e-05" not in file.read()


@pytest.mark.parametrize("field, value", [
    ("dataset", "folder"), ("pose_map", "gaussian"), ("pose_radius", 3.0), ("pose_sigma", 5.0), ("split_seed", 1),
    ("label_mapping", "cihp_20"), ("picture_crop", "0,0,16,32"), ("min_joints", 3), ("width", 48),
])  # fmt: skip
def test_a_run_is_not_continued_on_other_data(run_options, tmp_path, field, value):
    (tmp_path / "run").mkdir()
    flagfile = tmp_path / "run/options.flags"
    flagfile.write_text(to_flagfile(run_options))
    other = dataclasses.replace(run_options, data=dataclasses.replace(run_options.data, **{field: value}))
    with pytest.raises(InputError, match=f"contains a run with --{field}={getattr(run_options.data, field)}: "):
        runs._check_same_run(other, run_options.train.run_dir)
    assert flagfile.read_text() == to_flagfile(run_options)


def test_a_run_may_move_and_go_on_longer(run_options, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/options.flags").write_text(to_flagfile(run_options))
    data = dataclasses.replace(run_options.data, data_dir="b", prepared_dir="c", train_pairs="d", batch_size=2)
    moved = changed(dataclasses.replace(run_options, data=data), learning_rate=1e-5, stage="geometric_matcher")
    runs._check_same_run(changed(moved, generator_steps=9), run_options.train.run_dir)
    with pytest.raises(InputError, match="contains a run with --stage=all: "):
        runs._check_same_run(changed(moved, stage="human_parser"), run_options.train.run_dir)
    with pytest.raises(InputError, match="contains a run with --parsing_source=synthesized: "):
        runs._check_same_run(changed(moved, parsing_source="ground_truth"), run_options.train.run_dir)


def test_a_run_goes_on_whose_images_are_finished_otherwise(run_options, tmp_path):
    """No weight depends on that; and an older run has nothing to say of it."""
    (tmp_path / "run").mkdir()
    lines = to_flagfile(run_options).splitlines(keepends=True)
    of_before = [line for line in lines if not line.startswith(tuple(f"--{name}=" for name in FINISHING))]
    assert len(of_before) == len(lines) - len(FINISHING)
    (tmp_path / "run/options.flags").write_text("".join(of_before))
    networks = dataclasses.replace(
        run_options.networks, parser_average_flip=True, generator_average_flip=True, generator_average_shifts=4,
        generator_sharpening=1.1, generator_color_transfer=True,
    )  # fmt: skip
    runs._check_same_run(dataclasses.replace(run_options, networks=networks), run_options.train.run_dir)


def test_the_human_parser_does_not_mind_the_pairs(run_options, tmp_path):
    options = changed(run_options, stage="human_parser")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/options.flags").write_text(to_flagfile(options))

    def check(**fields):
        data = dataclasses.replace(options.data, **fields)
        runs._check_same_run(dataclasses.replace(options, data=data), options.train.run_dir)

    check(dataset="lip", lip_dir="x", pose_map="gaussian")
    with pytest.raises(InputError, match="contains a run with --lip_label_mapping=lip_20: "):
        check(lip_label_mapping="atr_18")


def test_missing_weights_of_the_loss_are_found_before_any_stage(run_options):
    losses = dataclasses.replace(run_options.losses, lambda_perceptual=1.0, perceptual_weights="no/such/file.npz")
    with pytest.raises(InputError, match="no/such/file.npz"):
        runs.train(dataclasses.replace(run_options, losses=losses))
    assert not os.path.exists(run_options.train.run_dir)


def test_a_folder_that_cannot_be_made_is_one_sentence(run_options, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        runs.train(changed(run_options, run_dir=str(tmp_path / "file" / "run")))


def test_new_pictures_need_synthesized_parsings(run_options):
    with pytest.raises(InputError, match="ground_truth"):
        loading.load_pipeline(changed(run_options, parsing_source="ground_truth"), for_new_images=True)


def test_a_run_needs_a_folder(run_options):
    with pytest.raises(InputError, match="--run_dir"):
        runs.train(changed(run_options, run_dir=""))


def test_ground_truth_parsings_need_no_stage_one(trained, run_options):
    options = changed(run_options, parsing_source="ground_truth", generator_steps=1)
    shutil.copytree(*(stage_folder(each.train.run_dir, "geometric_matcher") for each in (trained, options)))
    assert runs.train(changed(options, stage="warping_generator"))


def test_defaults_are_the_papers():
    options = Options()
    assert (options.data.batch_size, options.train.learning_rate, options.train.beta_1) == (20, 2e-4, 0.5)
    names = ("lambda_adversarial", "lambda_pixel", "lambda_perceptual", "lambda_pyramid")
    assert [getattr(options.losses, name) for name in names] == [1, 10, 10, 10]
