"""A checkpoint holds every number of a stage, and gives each back."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.inference.checkpoints import checkpoints_in, latest_checkpoint, load_network, steps_of
from tfwarpgan.models import build
from tfwarpgan.options import TrainOptions
from tfwarpgan.training.checkpoints import StageCheckpoints, sweep
from tfwarpgan.training.optimization import apply_gradients, inner_optimizer, make_optimizer
from tfwarpgan.training.stages import geometric_matcher_trainer, pose_guided_parser_trainer
from tfwarpgan.training.trainer import Trainer

MAKERS = {"pose_guided_parser": pose_guided_parser_trainer, "geometric_matcher": geometric_matcher_trainer}


def trainer_and_checkpoints(stage, options, folder):
    trainer = MAKERS[stage](options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 10))
    return trainer, StageCheckpoints(trainer, str(folder / stage))


def numbers(trainer):
    parts = [*trainer.networks.values(), *trainer.optimizers.values()]
    return [np.asarray(variable) for part in parts for variable in part.variables]


@pytest.mark.parametrize("stage", MAKERS)
def test_every_number_is_saved_and_comes_back(stage, options, batch, tmp_path):
    trainer, checkpoints = trainer_and_checkpoints(stage, options, tmp_path)
    trainer.train_step(batch)
    checkpoints.save()
    saved = sum(np.prod(shape) for name, shape in tf.train.list_variables(checkpoints_in(checkpoints.folder)[0]))
    networks = sum(network.count_params() for network in trainer.networks.values())
    assert saved >= 3 * networks  # Adam keeps two moments of each weight
    before = numbers(trainer)
    other, checkpoints = trainer_and_checkpoints(stage, options, tmp_path)
    assert checkpoints.restore() == 1
    for old, new in zip(before, numbers(other), strict=True):
        np.testing.assert_array_equal(new, old)


def load_matcher(options, run_dir):
    path = latest_checkpoint(str(run_dir), "geometric_matcher")
    return load_network(build.geometric_matcher(options), path, "geometric_matcher")


def test_a_network_alone_is_read_whole(options, batch, tmp_path):
    trainer, checkpoints = trainer_and_checkpoints("geometric_matcher", options, tmp_path)
    trainer.train_step(batch)
    checkpoints.save()
    matcher = load_matcher(options, tmp_path)
    for old, new in zip(trainer.networks["geometric_matcher"].get_weights(), matcher.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_stage_that_was_not_trained_is_named(options, tmp_path):
    with pytest.raises(InputError, match="--stage=geometric_matcher"):
        load_matcher(options, tmp_path)


def ema_trainer(options, folder, ema):
    trainer = geometric_matcher_trainer(options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 10), ema=ema)
    return trainer, StageCheckpoints(trainer, str(folder / "geometric_matcher"))


def test_the_running_mean_is_saved_and_is_what_others_read(options, batch, tmp_path):
    """Two steps by hand: after step n the decay is min(0.9, (1 + n) / (10 + n))."""
    trainer, checkpoints = ema_trainer(options, tmp_path, ema=0.9)
    weights = [trainer.networks["geometric_matcher"].get_weights()]
    for _ in range(2):
        trainer.train_step(batch)
        weights.append(trainer.networks["geometric_matcher"].get_weights())
    checkpoints.save()
    matcher = load_matcher(options, tmp_path)
    for start, first, second, found in zip(*weights, matcher.get_weights(), strict=True):
        mean = 2 / 11 * start + 9 / 11 * first
        np.testing.assert_allclose(found, 3 / 12 * mean + 9 / 12 * second, rtol=1e-5, atol=1e-7)

    other, checkpoints = ema_trainer(options, tmp_path, ema=0.9)
    assert checkpoints.restore() == 2
    for old, new in zip(trainer.averages, other.averages, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("before, after", [(0.0, 0.9), (0.9, 0.0)])
def test_a_running_mean_can_be_begun_and_ended_in_a_run(before, after, options, batch, tmp_path):
    trainer, checkpoints = ema_trainer(options, tmp_path, before)
    trainer.train_step(batch)
    checkpoints.save()
    other, checkpoints = ema_trainer(options, tmp_path, after)
    assert checkpoints.restore() == 1
    for weight, average in zip(trainer.networks["geometric_matcher"].get_weights(), other.averages):
        np.testing.assert_array_equal(average, weight)  # it begins with the weights that are there
    other.train_step(batch)
    checkpoints.save()
    assert checkpoints_in(checkpoints.folder)[0].endswith("ckpt-2")


@pytest.fixture
def tiny(tmp_path):
    """Function of a number of steps, a precision and units of layers -> a trainer that far, and its checkpoints."""

    class Tiny(Trainer):
        means = ("loss",)

    def tiny(steps=None, precision="float32", units=(1,)):
        network = tf.keras.Sequential([tf.keras.Input([1]), *map(tf.keras.layers.Dense, units)])
        trainer = Tiny({"tiny": network})
        trainer.compile_networks(lambda name: make_optimizer(TrainOptions(precision=precision), 10))
        checkpoints = StageCheckpoints(trainer, str(tmp_path), keep=2)
        checkpoints.restore()
        if steps is not None:
            trainer.iterations.assign(steps)
            network.set_weights([np.full([1, 1], steps), np.zeros([1])])
        return trainer, checkpoints

    return tiny


def steps_in(folder):
    return [steps_of(path) for path in checkpoints_in(str(folder))]


def test_the_newest_are_kept(tiny, tmp_path):
    for steps in (8, 9, 10, 100):
        tiny(steps)[1].save()
    assert steps_in(tmp_path) == [100, 10]
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "ckpt-100")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint", *(f"ckpt-{step}.{end}" for step in (10, 100) for end in ("data-00000-of-00001", "index"))
    ]  # fmt: skip


def test_training_goes_on_before_a_damaged_one_which_then_goes(tiny, tmp_path, capsys):
    for steps in (2, 4):
        tiny(steps)[1].save()
    (tmp_path / "ckpt-4.index").write_bytes(b"")
    trainer, checkpoints = tiny()
    assert trainer.steps_done == 2 and float(trainer.networks["tiny"].get_weights()[0][0, 0]) == 2.0
    assert capsys.readouterr().err.startswith(f"note: {tmp_path}/ckpt-4 is damaged (")
    assert steps_in(tmp_path) == [4, 2]  # nothing is lost until there is something better
    trainer.iterations.assign(3)
    checkpoints.save()
    assert steps_in(tmp_path) == [3, 2]


def test_the_means_of_a_log_entry_go_on(tiny):
    trainer, checkpoints = tiny(3)
    for value in (1.0, 2.0):
        trainer.trackers["loss"].update_state(value)
    trainer.skipped.assign([7])
    checkpoints.save()
    other, _ = tiny()
    other.trackers["loss"].update_state(6.0)
    assert float(other.trackers["loss"].result()) == 3.0
    assert other.batches_taken == 10


def scale_of(optimizer):
    """The scale of its loss."""
    return float(getattr(optimizer, "scale_loss", getattr(optimizer, "get_scaled_loss", None))(tf.ones([])))


@pytest.mark.parametrize("before, after", itertools.product(["float32", "mixed_float16"], repeat=2))
def test_the_precision_may_change_in_a_run(before, after, tiny):
    """A loss that is scaled is so again, at the same scale or, if it was not, at the first one."""
    trainer, checkpoints = tiny(precision=before)
    optimizer, variables = trainer.optimizers["tiny"], trainer.networks["tiny"].trainable_variables
    scaled = [name == "mixed_float16" for name in (before, after)]
    for value in (np.inf, 1.0) if scaled[0] else (1.0,):
        apply_gradients(optimizer, [tf.fill(variable.shape, value) for variable in variables], variables)
    trainer.skipped.assign([int(scaled[0])])
    checkpoints.save()
    other, _ = tiny(precision=after)
    assert other.steps_done == 1 and other.batches_taken == 1 + scaled[0]
    for old, new in zip(trainer.networks["tiny"].get_weights(), other.networks["tiny"].get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    inner = [inner_optimizer(each.optimizers["tiny"]).variables for each in (trainer, other)]
    for old, new in zip(*inner, strict=True):
        np.testing.assert_array_equal(np.asarray(new), np.asarray(old))
    if scaled[1]:
        assert scale_of(other.optimizers["tiny"]) == (2.0**14 if scaled[0] else 2.0**15)


@pytest.mark.parametrize("before, after", [((1,), (2,)), ((1,), (1, 1)), ((1, 1), (1,))])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_another_network_is_one_sentence(precision, before, after, tiny):
    trainer, checkpoints = tiny(units=before)
    trainer.iterations.assign(3)
    checkpoints.save()
    with pytest.raises(InputError, match="ckpt-3 is of networks of another size or kind: use the flags that"):
        tiny(precision=precision, units=after)


def test_what_cannot_be_restored_is_one_sentence(tiny, monkeypatch):
    tiny(3)[1].save()

    def restore(checkpoint, path):
        raise tf.errors.UnavailableError(None, None, "Stale file handle")

    monkeypatch.setattr(tf.train.Checkpoint, "restore", restore)
    with pytest.raises(InputError, match=r"ckpt-3 cannot be read \(Stale file handle\); nothing was changed"):
        tiny()


def test_a_discriminator_comes_and_goes(options, batch, tmp_path, capsys):
    """It begins anew, and is dropped."""
    losses = dataclasses.replace(options.losses, parser_lambda_adversarial=0.0, parser_lambda_pyramid=0.0)
    alone = dataclasses.replace(options, losses=losses)
    before = []
    for step, each in enumerate((alone, options, options, alone)):
        trainer, checkpoints = trainer_and_checkpoints("pose_guided_parser", each, tmp_path)
        assert checkpoints.restore() == step
        steps = {name: int(optimizer.iterations) for name, optimizer in trainer.optimizers.items()}
        assert steps == {"pose_guided_parser": step, **({"discriminator": step - 1} if each is options else {})}
        assert trainer.batches_taken == step + (9 if step else 0)
        note = f"note: {checkpoints.folder}/ckpt-1 holds no discriminator: it begins with new weights.\n"
        assert capsys.readouterr().err == (note if step == 1 else "")
        if step:
            for old, new in zip(before, trainer.networks["pose_guided_parser"].get_weights(), strict=True):
                np.testing.assert_array_equal(new, old)
        trainer.train_step(batch)
        trainer.skipped.assign([9, 1][: len(trainer.networks)])
        before = trainer.networks["pose_guided_parser"].get_weights()
        checkpoints.save()
        held = {name.partition("/")[0] for name, _ in tf.train.list_variables(checkpoints.last)}
        assert (each is options) == ("discriminator" in held) == ("discriminator_optimizer" in held)


def test_unfinished_checkpoints_are_swept(tiny, tmp_path):
    tiny(2)[1].save()
    before = sorted(path.name for path in tmp_path.iterdir())
    for place in (tmp_path, tmp_path / "best"):
        (place / "ckpt-4_temp").mkdir(parents=True)
        (place / "ckpt-4_temp" / "part-00000").write_bytes(b"x")
        (place / "ckpt-6.data-00000-of-00001").write_bytes(b"x")
    sweep(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", *before]
    assert not list((tmp_path / "best").iterdir())
    sweep(str(tmp_path / "none"))
