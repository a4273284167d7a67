"""Numbers of the field's own code (scikit-image, NumPy) on pictures made by a formula, to their printed digits."""

import numpy as np
import pytest

from tfwarpgan.evaluation.metrics import ids
from tfwarpgan.evaluation.metrics.catalog import CATALOG, chosen_metrics
from tfwarpgan.evaluation.metrics.masks import pg2_mask, posegan_mask
from tfwarpgan.evaluation.metrics.metric import Pairs
from tfwarpgan.options import MetricOptions

SIZES = (64, 56), (256, 176), (128, 64)
SSIM = {
    "ssim/gaussian": (0.8313569881, 0.8176547619, 0.8193685648),
    "ssim/posegan": (0.8161876268, 0.8012520765, 0.8031881991),
    "ssim/uniform7": (0.8553771841, 0.8460286451, 0.8474266436),
    "ssim/win51": (0.9943340344, 0.9933012903, 0.9938147858),
    "ssim/ssim_256": (0.8161875606, 0.8012521267, 0.8031883240),
}
WHITE = {(64, 56): (10, 0.8681616573), (256, 176): (40, 0.8687215979), (128, 64): (10, 0.8529964025)}
OTHERS = {
    "psnr/255": 30.0600700290,
    "psnr/255+white10": 31.3863256817,
    "l1/range2": 0.0524035656,
    "l1/range1": 0.0262017809,
    "l1/range255": 6.6814546131,
    "mae/gfla": 0.0233524553,
    "l2/pg2": 0.0772310699,
}
DIGITS = 5.1e-11  # half of the last digit


def measure(id, target, generated, **more):
    (metric,) = chosen_metrics([id])
    accumulator = metric.start(MetricOptions())
    accumulator.update(Pairs([("", "")], target, generated, **more))
    return accumulator.result().value


def test_the_arrays_are_those_of_the_page(worked):
    target, generated = worked(64, 56)
    assert target.sum() == 1539164 and generated.sum() == 1537129
    np.testing.assert_array_equal(generated[0, 5, 7], [65, 101, 114])


@pytest.mark.parametrize("id", SSIM)
def test_ssim(worked, id):
    found = [measure(id, *worked(*size)) for size in SIZES]
    np.testing.assert_allclose(found, SSIM[id], rtol=0, atol=DIGITS)


@pytest.mark.parametrize("size", WHITE, ids=str)
def test_ssim_padded_with_white(worked, size):
    columns, expected = WHITE[size]
    assert abs(measure(f"ssim/posegan+white{columns}", *worked(*size)) - expected) < DIGITS


@pytest.mark.parametrize("id", OTHERS)
def test_differences(worked, id):
    assert abs(measure(id, *worked(64, 56)) - OTHERS[id]) < DIGITS


def test_pixels_of_the_masks(joints):
    drawn = posegan_mask(*joints, (128, 64))
    assert drawn.sum() == 2188
    np.testing.assert_array_equal(
        drawn.sum(axis=1)[[10, 14, 24, 40, 60, 85, 110, 114]], [13, 14, 25, 39, 21, 17, 8, 0]
    )  # fmt: skip
    other = pg2_mask(*joints, (128, 64))
    assert other.sum() == 2329 and (other != drawn).sum() == 147


def test_masks_before_they_are_closed(joints, monkeypatch):
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.masks.closed", lambda mask: mask)
    assert posegan_mask(*joints, (128, 64)).sum() == 2117
    assert pg2_mask(*joints, (128, 64)).sum() == 2039


def test_mask_ssim(worked, joints):
    poses = {"target": (joints[0][None], joints[1][None])}
    found = measure("ssim/posegan+mask/posegan", *worked(128, 64), poses=poses)
    assert abs(found - 0.9672067683) < DIGITS
    found = measure("ssim/uniform7+mask/pg2", *worked(128, 64), poses=poses)
    assert abs(found - 0.9692582907) < DIGITS


def test_the_condition_mask_is_of_the_condition(worked, joints):
    """With the condition's pose where the target's is expected, the number is that of the target's mask."""
    poses = {"condition": (joints[0][None], joints[1][None])}
    assert abs(measure("ssim/uniform7+mask/pg2-condition", *worked(128, 64), poses=poses) - 0.9692582907) < DIGITS


def test_outside_of_a_graymask_is_zero_of_the_networks_range(worked, joints):
    from tfwarpgan.evaluation.metrics.modifiers import _change

    poses = {"target": (joints[0][None], joints[1][None])}
    target, generated = worked(128, 64)
    changed = _change("graymask/posegan")(Pairs([("", "")], target, generated, poses=poses))
    mask = posegan_mask(*joints, (128, 64))
    assert (changed.target[0][~mask] == 127.5).all() and (changed.generated[0][~mask] == 127.5).all()
    np.testing.assert_array_equal(changed.target[0][mask], target[0][mask])


def test_a_limb_without_length_is_skipped():
    places, visible = np.full((18, 2), 20.0), np.zeros(18, bool)
    visible[:2] = True
    assert posegan_mask(places, visible, (40, 40)).sum() == 45  # a disc alone
    assert pg2_mask(places, visible, (40, 40)).sum() == 49


def test_identical_pictures_have_no_ratio_but_are_counted(worked):
    target, generated = worked(64, 56)
    (metric,) = chosen_metrics(["psnr/255"])
    accumulator = metric.start(MetricOptions())
    for pair in ((target, generated), (target, target)):
        accumulator.update(Pairs([("", "")], *pair))
    score = accumulator.result()
    assert abs(score.value - OTHERS["psnr/255"]) < DIGITS
    assert score.count == 1 and score.beside == {"identical_pairs": 1.0} and np.isinf(score.pairs[1])


def test_black_and_flat_pictures():
    black = np.zeros((1, 16, 16, 3), np.uint8)
    assert measure("ssim/gaussian", black, black) == 1.0
    assert measure("ssim/posegan", black, black) == 0.0
    assert np.isnan(measure("mae/gfla", black, black))


def test_every_id_is_in_the_catalog_and_every_metric_has_an_id():
    assert set(CATALOG) == set(ids.IDS)
    assert all(metric.id == id for id, metric in CATALOG.items())
