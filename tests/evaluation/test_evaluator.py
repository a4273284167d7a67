"""The evaluator on fake pipelines whose scores are known by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation import evaluator
from tfwarpgan.evaluation.metrics.catalog import chosen_metrics

DEFAULT = ("ssim/gaussian", "l1/range2", "ssim/person", "l1/person", "detail/person", "texture/garments")

HEIGHT, WIDTH = 32, 32


def make_pairs(count, seed=0):
    """Arrays of `count` pairs: condition and target pictures are noise, parsings halves of labels 5 and 9."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, count, HEIGHT, WIDTH, 3)).astype(np.float32) / 127.5 - 1
    upper = np.full((count, HEIGHT, WIDTH), 9, np.uint8)
    upper[:, : HEIGHT // 2] = 5
    lower = np.roll(upper, HEIGHT // 4, axis=1)
    return {
        "condition_image": images[0],
        "target_image": images[1],
        "condition_parsing": lower,
        "target_parsing": upper,
        **{f"{side}_keypoints": np.full((count, 18, 2), 8, np.float32) for side in ("condition", "target")},
        **{f"{side}_visible": np.ones((count, 18), bool) for side in ("condition", "target")},
        "condition_name": np.array([f"c{index}.jpg".encode() for index in range(count)]),
        "target_name": np.array([f"t{index}.jpg".encode() for index in range(count)]),
    }


def dataset_of(pairs, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(pairs).batch(batch_size)


def perfect(batch):
    """Gives the target itself, and a warp that hits the target parsing."""
    target = tf.one_hot(batch["target_parsing"], 20)
    return {
        "image": batch["target_image"],
        "warped_image": batch["condition_image"],
        "parsing_logits": 5.0 * target,
        "target_parsing": target,
        "warped_parsing": 0.6 * target + 0.02,
    }


MEAN = np.zeros((HEIGHT, WIDTH, 3), np.float32)


def run(pipeline, pairs, ids=DEFAULT, batch_size=4, **options):
    return evaluator.evaluate(
        pipeline, dataset_of(pairs, batch_size), MEAN, chosen_metrics(ids), progress=False, **options
    )


def by_name(evaluation):
    return {metric.name: metric for metric in evaluation.metrics}


def test_the_perfect_model_by_hand():
    pairs = make_pairs(6)
    metrics = by_name(run(perfect, pairs))
    np.testing.assert_allclose(metrics["ssim_gaussian"].model, 1.0, rtol=1e-6)
    assert abs(metrics["l1"].model) < 1e-6
    expected = np.abs(pairs["condition_image"] - pairs["target_image"]).mean()
    np.testing.assert_allclose(metrics["l1"].baselines["copy_condition"], expected, rtol=1e-5)
    # Gray 0 is not one of the 256 levels: a PNG holds 128, which is 1 / 255.
    expected = np.abs(1 / 255 - pairs["target_image"]).mean()
    np.testing.assert_allclose(metrics["l1"].baselines["mean_image"], expected, rtol=1e-5)
    for name in ("parsing_miou", "matcher_miou_target", "matcher_miou_synthesized"):
        # Halves that are shifted by a quarter: a third of the union is shared.
        np.testing.assert_allclose(metrics[name].baselines["copy_condition"], 1 / 3)
        assert metrics[name].model == 1.0 and metrics[name].beats_baselines
        assert metrics[name].by_label[5] == 1.0 and np.isnan(metrics[name].by_label[0])


def test_copying_beats_nothing():
    def copy(batch):
        source = tf.one_hot(batch["condition_parsing"], 20)
        return {"image": batch["condition_image"], "parsing_logits": source, "warped_parsing": source}

    metrics = by_name(run(copy, make_pairs(4)))
    for metric in metrics.values():
        if metric.name != "matcher_miou_synthesized":
            np.testing.assert_allclose(metric.model, metric.baselines["copy_condition"], atol=1e-6)
            assert not metric.beats_baselines
    assert metrics["matcher_miou_synthesized"].model == 1.0


def test_the_short_last_batch_counts_and_the_order_is_kept():
    pairs = make_pairs(5)

    def spoils_the_last(batch):
        outputs = perfect(batch)
        last = tf.reduce_all(batch["target_image"] == pairs["target_image"][4], axis=(1, 2, 3), keepdims=True)
        return {**outputs, "image": tf.where(last, -batch["target_image"], batch["target_image"])}

    evaluation = run(spoils_the_last, pairs)
    assert len(evaluation) == 5
    assert evaluation.names[4] == ("c4.jpg", "t4.jpg")
    values = evaluation.pairs["ssim_gaussian"]["model"]
    assert values[4] < 0 and np.all(values[:4] > 0.999)
    np.testing.assert_allclose(by_name(evaluation)["ssim_gaussian"].model, values.mean(), rtol=1e-6)
    assert evaluation.ranking()[-1] == 4


def test_max_pairs_is_exact():
    pairs = make_pairs(10)
    evaluation = run(perfect, pairs, max_pairs=6)
    assert [names[0] for names in evaluation.names] == [f"c{index}.jpg" for index in range(6)]
    expected = np.abs(pairs["condition_image"] - pairs["target_image"])[:6].mean()
    np.testing.assert_allclose(by_name(evaluation)["l1"].baselines["copy_condition"], expected, rtol=1e-5)


def test_the_picture_is_scored_as_its_png():
    """Half a level is lost in the PNG: the target's own levels plus .4 of one are the target."""

    def nearly(batch):
        return {**perfect(batch), "image": batch["target_image"] + 0.4 / 127.5}

    assert by_name(run(nearly, make_pairs(2)))["l1"].model < 1e-6


def test_every_protocol_is_named():
    evaluation = run(perfect, make_pairs(2), ("ssim/gaussian", "ssim/uniform7", "l1/range2"))
    assert [metric.name for metric in evaluation.metrics[:3]] == ["ssim_gaussian", "ssim_uniform7", "l1"]
    assert by_name(evaluation)["ssim_uniform7"].protocol.startswith("uniform window of 7")
    assert "[-1, 1]" in by_name(evaluation)["l1"].protocol


def test_every_number_says_all_that_it_depends_on():
    evaluation = run(perfect, make_pairs(2), max_pairs=2)
    for metric in evaluation.metrics:
        assert metric.measured.startswith(f"{metric.id}; size 32x32; padding none; quantization round; order ")
        assert "; reference 2 targets sha256:" in metric.measured and "; tfwarpgan 0." in metric.measured
    ids = [metric.id for metric in evaluation.metrics]
    assert len(set(ids)) == len(ids) and all("/" in id for id in ids)
    other = run(perfect, make_pairs(2, seed=1))
    assert other.measurement.reference != evaluation.measurement.reference


def test_truncated_levels_are_lower():
    def brighter(batch):
        return {**perfect(batch), "image": batch["target_image"] + 0.6 / 127.5}

    rounded, truncated = (
        by_name(run(brighter, make_pairs(2), ("l1/range255",), quantization=way))["l1_range255"].model
        for way in ("round", "truncate")
    )
    assert 0.9 < rounded <= 1 and truncated < 0.01


def test_masks_take_the_joints_of_the_pairs():
    pairs = make_pairs(2)
    pairs["target_keypoints"] += np.arange(18, dtype=np.float32)[:, None] / 2
    name = "l1_range255+mask_posegan"
    evaluation = run(perfect, pairs, ("l1/range255+mask/posegan", "l1/range255"))
    found = by_name(evaluation)
    copied = [found[key].baselines["copy_condition"] for key in (name, "l1_range255")]
    assert 0 < copied[0] < copied[1] / 2


def test_without_stage_one_only_the_label_is_a_reference():
    def upper_bound(batch):
        outputs = perfect(batch)
        del outputs["parsing_logits"]
        return outputs

    names = [name for name in by_name(run(upper_bound, make_pairs(2))) if "miou" in name]
    assert names == ["matcher_miou_target"]


def test_batches_of_any_size_give_the_same_numbers():
    pairs = make_pairs(5)
    results = [run(perfect, pairs, batch_size=size) for size in (1, 5)]
    for one, other in zip(results[0].metrics, results[1].metrics, strict=True):
        np.testing.assert_allclose(one.model, other.model, rtol=1e-6)
        # A slope is of the order of 1; near 0 it keeps the rounding of float32's means.
        baselines = [list(result.baselines.values()) for result in (one, other)]
        np.testing.assert_allclose(*baselines, rtol=1e-6, atol=1e-6)


def test_no_pairs_are_refused():
    with pytest.raises(InputError, match="contains no pairs"):
        evaluator.evaluate(perfect, dataset_of(make_pairs(1)).take(0), MEAN, [], progress=False)
