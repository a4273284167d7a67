"""Metrics of sets, from pictures to the number, with tiny networks in the folder of weights."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics import fid, kid
from tfwarpgan.evaluation.metrics.catalog import chosen_metrics
from tfwarpgan.evaluation.metrics.inception_score import inception_score
from tfwarpgan.evaluation.metrics.metric import Pairs
from tfwarpgan.evaluation.networks.extractor import extractor
from tfwarpgan.evaluation.weights.conversion import Weights, _arrays_of, save_weights
from tfwarpgan.options import MetricOptions

COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_inception):
    """Folder of tiny networks."""
    place = tmp_path_factory.mktemp("weights")
    for network, classes in (("inception_2015", 1008), ("inception_torchvision", 1000)):
        arrays = _arrays_of(network, tiny_inception(4, classes, seed=classes), "")
        save_weights(str(place / f"{network}.npz"), Weights(arrays, f"{network}.pth", 64 * "a", True))
    return str(place)


@pytest.fixture(scope="module")
def pictures():
    """(targets, generated), uint8 [12, 20, 16, 3]."""
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (COUNT, 5, 4, 3))
    targets = np.kron(blocks, np.ones((1, 4, 4, 1), int))
    generated = np.clip(targets + random.integers(-40, 60, (COUNT, 1, 1, 3)), 0, 255)
    return targets.astype(np.uint8), generated.astype(np.uint8)


def measured(id, pictures, options, batch=5):
    (metric,) = chosen_metrics([id])
    accumulator = metric.start(options)
    for start in range(0, len(pictures[0]), batch):
        target, generated = (part[start : start + batch] for part in pictures)
        accumulator.update(Pairs([("", "")] * len(target), target, generated))
    return accumulator.result()


def test_inception_score_of_pictures(folder, pictures):
    score = measured("is/openai2015", pictures, MetricOptions(metric_weights=folder))
    extract = extractor("tf2015", folder)
    mean, spread = inception_score(extract.logits(pictures[1]))
    assert extract.logits(pictures[1]).std(axis=0).min() > 1e-4  # pictures tell classes apart, in parts of one or two
    np.testing.assert_allclose([score.value, score.spread], [mean, spread], rtol=1e-3)
    np.testing.assert_allclose(score.beside["targets"], inception_score(extract.logits(pictures[0]))[0], rtol=1e-5)
    assert score.weights == "inception_2015.pth sha256:aaaaaaaaaaaa" and score.count == COUNT and score.pairs is None
    with pytest.raises(InputError, match="is/openai2015 needs at least 10 pictures"):
        measured("is/openai2015", [part[:5] for part in pictures], MetricOptions(metric_weights=folder))


@pytest.mark.parametrize("id", ["fid/tf2015", "fid/clean", "fid/torchvision-cfld"])
def test_frechet_distance_to_the_targets(folder, pictures, monkeypatch, id):
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.ids.LEAST_PICTURES", COUNT)
    score = measured(id, pictures, MetricOptions(metric_weights=folder))
    extract = extractor(id.split("/")[1].removesuffix("-cfld"), folder)
    expected = fid.frechet_distance(*(fid.gaussian(extract.features(part)) for part in pictures))
    assert score.value == pytest.approx(expected, rel=1e-3) and score.value > 1e-6


def test_gfla_drops_the_last_part_of_a_batch_on_both_sides(folder, pictures, monkeypatch):
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.ids.LEAST_PICTURES", 5)
    accumulator = fid.FrechetDistance("fid/torchvision-gfla", "torchvision", 5, MetricOptions(metric_weights=folder))
    accumulator.update(Pairs([("", "")] * COUNT, *pictures))
    score, extract = accumulator.result(), extractor("torchvision", folder)
    expected = fid.frechet_distance(*(fid.gaussian(extract.features(part)[:10]) for part in pictures))
    assert score.count == 10 and score.value == pytest.approx(expected, rel=1e-4)


def test_few_pictures_have_no_frechet_distance_but_a_kernel_distance(folder, pictures):
    with pytest.raises(InputError, match="fid/clean of 12 pictures .* it needs 2048: take kid/clean instead"):
        measured("fid/clean", pictures, MetricOptions(metric_weights=folder))
    score = measured("kid/clean", pictures, MetricOptions(metric_weights=folder))
    extract = extractor("clean", folder)
    expected = kid.squared_discrepancy(extract.features(pictures[1]), extract.features(pictures[0]))
    assert (
        score.value == pytest.approx(expected, rel=1e-2)
        and abs(expected) > 1e-9
        and score.beside == {"subset_size": 12.0}
    )


def test_the_reference_may_be_a_folder_of_any_sizes_and_is_kept(folder, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.ids.LEAST_PICTURES", 5)
    train = tmp_path / "train"
    train.mkdir()
    for number, picture in enumerate(pictures[0][:6]):
        Image.fromarray(picture if number < 4 else picture[:18]).save(train / f"{number}.png")
    options = MetricOptions(metric_weights=folder, reference=str(train))
    first = measured("fid/clean", pictures, options)
    assert first.reference.startswith("6 pictures of train sha256:")
    extract = extractor("clean", folder)
    parts = [extract.features(pictures[0][:4]), extract.features(pictures[0][4:6, :18])]
    expected = fid.frechet_distance(fid.gaussian(extract.features(pictures[1])), fid.gaussian(np.concatenate(parts)))
    assert first.value == pytest.approx(expected, rel=1e-3) and expected > 1e-6
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.features._batches", lambda paths: pytest.fail("measured again"))
    assert measured("fid/clean", pictures, options).value == first.value


def test_the_reference_may_be_a_file_of_statistics(folder, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("tfwarpgan.evaluation.metrics.ids.LEAST_PICTURES", COUNT)
    features = extractor("torchvision", folder).features(pictures[0]).astype(np.float64)
    path = str(tmp_path / "statistics.npz")
    np.savez(path, mu=features.mean(axis=0), sigma=np.cov(features, rowvar=False))
    options = MetricOptions(metric_weights=folder, reference=path)
    score = measured("fid/torchvision-cfld", pictures, options)
    expected = measured("fid/torchvision-cfld", pictures, MetricOptions(metric_weights=folder)).value
    assert score.value == pytest.approx(expected, rel=1e-3)
    assert score.reference.startswith("statistics statistics.npz sha256:")
    with pytest.raises(InputError, match="kid needs the pictures of --reference"):
        measured("kid/clean", pictures, options)


@pytest.mark.parametrize(
    ("reference", "message"), [("nowhere", "is not a folder"), ("x.npz", "no npz file of the arrays")]
)
def test_a_reference_that_is_not_there(folder, pictures, reference, message):
    with pytest.raises(InputError, match=message):
        measured("kid/clean", pictures, MetricOptions(metric_weights=folder, reference=reference))


def test_missing_weights_are_told_before_anything_is_measured(tmp_path):
    (metric,) = chosen_metrics(["lpips/squeeze-0.1"])
    with pytest.raises(InputError, match=r"squeezenet\.npz is missing; .* get squeezenet1_1-b8a52dc0\.pth"):
        metric.start(MetricOptions(metric_weights=str(tmp_path)))
