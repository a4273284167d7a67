"""Batches: every pair once per epoch, exact resumption, mirroring, values."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body import joints
from tfwarpgan.body.labels import FLIP_PERMUTATION
from tfwarpgan.data.batches import pairs
from tfwarpgan.data.joints import pose_gan
from tfwarpgan.data.pictures import label_maps
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.records import preparation
from tfwarpgan.storage.writing import encode_jpeg, encode_png

PAIRS = 28  # of the drawn training split


@pytest.fixture
def prepared(options):
    return preparation.prepare(options())


def _batches(prepared, data, count, **arguments):
    dataset = pairs.pairs_dataset(prepared, data, names=True, **arguments)
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def _named_pairs(batches):
    return [
        (condition.decode(), target.decode())
        for batch in batches
        for condition, target in zip(batch["condition_name"], batch["target_name"])
    ]


def _listed_pairs(market, split):
    return [tuple(row.split(",")) for row in (market / f"market-pairs-{split}.csv").read_text().split()[1:]]


def test_batch_is_as_promised(prepared, options):
    dataset = pairs.pairs_dataset(prepared, options())
    specs = {name: (spec.shape.as_list(), spec.dtype) for name, spec in dataset.element_spec.items()}
    expected = {}
    for role in ("condition", "target"):
        expected[f"{role}_image"] = ([4, 64, 32, 3], tf.float32)
        expected[f"{role}_parsing"] = ([4, 64, 32], tf.uint8)
        expected[f"{role}_keypoints"] = ([4, 18, 2], tf.float32)
        expected[f"{role}_visible"] = ([4, 18], tf.bool)
    assert specs == expected


def test_values_are_those_of_the_named_pictures(prepared, options, market):
    annotations = pose_gan.read_annotation_csv(str(market / "market-annotation-train.csv"))
    for batch in _batches(prepared, options(), 3):
        for role, place in itertools.product(("condition", "target"), range(4)):
            name = batch[f"{role}_name"][place].decode()
            image = read_rgb(str(market / "bounding_box_train" / name)).astype(np.float32) / 127.5 - 1
            # Decoders may differ by a level or two.
            np.testing.assert_allclose(batch[f"{role}_image"][place], image, atol=2.1 / 127.5)
            labels = label_maps.read_label_map(str(market / "parsing" / name.replace("jpg", "png")))
            np.testing.assert_array_equal(batch[f"{role}_parsing"][place], labels)
            np.testing.assert_array_equal(batch[f"{role}_keypoints"][place], annotations[name][0])
            np.testing.assert_array_equal(batch[f"{role}_visible"][place], annotations[name][1])


@pytest.mark.parametrize("batch_size", [4, 5])
def test_every_pair_once_an_epoch(prepared, options, market, batch_size):
    data = options(batch_size=batch_size)
    seen = _named_pairs(_batches(prepared, data, -(-3 * PAIRS // batch_size)))
    listed = collections.Counter(_listed_pairs(market, "train"))
    assert len(listed) == PAIRS
    for epoch in range(3):
        assert collections.Counter(seen[epoch * PAIRS : (epoch + 1) * PAIRS]) == listed


def test_order_changes_with_epoch_and_seed_only(prepared, options):
    def order(seed, global_seed):
        tf.random.set_seed(global_seed)
        return _named_pairs(_batches(prepared, options(seed=seed), 14))

    first = order(0, 1)
    assert first == order(0, 2)
    assert first != order(1, 1)
    assert first[:PAIRS] != first[PAIRS : 2 * PAIRS]


def test_persons_and_pairs_are_mixed(prepared, options):
    persons = [condition[:4] for condition, _ in _named_pairs(_batches(prepared, options(), 7))]
    changes = sum(a != b for a, b in itertools.pairwise(persons))
    assert changes >= PAIRS // 2  # in the order of the list there are 4


@pytest.mark.parametrize("start", [1, PAIRS, 2 * PAIRS + 9])
def test_start_goes_on_exactly(prepared, options, start):
    data = options(batch_size=1, flip=True)
    whole = _batches(prepared, data, start + 6)[start:]
    resumed = _batches(prepared, data, 6, start=start)
    for expected, batch in zip(whole, resumed):
        for name, value in expected.items():
            np.testing.assert_array_equal(batch[name], value)


def test_mirroring_exchanges_left_and_right(prepared, options):
    count = 2 * PAIRS // 4
    plain, mirrored = (_batches(prepared, options(flip=flip), count) for flip in (False, True))
    flips = 0
    for one, other in zip(plain, mirrored):
        for place in range(4):
            if np.array_equal(one["condition_image"][place], other["condition_image"][place]):
                assert all(np.array_equal(one[name][place], other[name][place]) for name in one)
                continue
            flips += 1
            for role in ("condition", "target"):
                _assert_mirrored({name: one[f"{role}_{name}"][place] for name in ROLE_NAMES},
                                 {name: other[f"{role}_{name}"][place] for name in ROLE_NAMES})  # fmt: skip
    assert 0.25 < flips / (4 * count) < 0.75


ROLE_NAMES = ("image", "parsing", "keypoints", "visible")


def _assert_mirrored(one, other):
    np.testing.assert_array_equal(other["image"], one["image"][:, ::-1])
    np.testing.assert_array_equal(other["parsing"], np.array(FLIP_PERMUTATION)[one["parsing"][:, ::-1]])
    order = list(joints.FLIP_PERMUTATION)
    points, visible = one["keypoints"][order], one["visible"][order]
    mirrored = np.stack([points[:, 0], 31 - points[:, 1]], axis=1)
    np.testing.assert_array_equal(other["keypoints"], np.where(visible[:, None], mirrored, -1))
    np.testing.assert_array_equal(other["visible"], visible)


def test_test_split_once_in_the_same_order_with_the_short_batch(prepared, options, market):
    data = options(batch_size=3, flip=True)
    batches = _batches(prepared, data, None, split="test")
    assert [len(batch["condition_image"]) for batch in batches] == [3, 3, 2]
    assert collections.Counter(_named_pairs(batches)) == collections.Counter(_listed_pairs(market, "test"))
    assert _named_pairs(batches) == _named_pairs(_batches(prepared, data, None, split="test"))
    assert _named_pairs(batches)[5:] == _named_pairs(_batches(prepared, data, None, split="test", start=5))


def test_coins_follow_from_seed_and_number_alone():
    first = pairs.flip_mask(3, tf.range(4096, dtype=tf.int64)).numpy()
    assert 0.45 < first.mean() < 0.55
    np.testing.assert_array_equal(first[1000:], pairs.flip_mask(3, tf.range(1000, 4096, dtype=tf.int64)))
    for lag in (1, 2, 20):  # neighbors are independent: they agree half of the time
        assert 0.45 < (first[lag:] == first[:-lag]).mean() < 0.55
    other = pairs.flip_mask(4, tf.range(4096, dtype=tf.int64)).numpy()
    assert 0.45 < (first == other).mean() < 0.55


class ManyPersons:
    """1,000 persons of two pictures, who count how many of them were read."""

    height = width = 32
    num_pairs = {"train": 2000}
    read = 0

    def records(self, split):
        jpeg, png = encode_jpeg(np.zeros((32, 32, 3), np.uint8)), encode_png(np.zeros((32, 32), np.uint8))

        def count(number):
            self.read += 1
            return number

        def record(number):
            name = tf.strings.as_string(tf.ensure_shape(tf.py_function(count, [number], tf.int64), []))
            return {
                "names": tf.stack([name + "a", name + "b"]),
                "images": tf.constant([jpeg] * 2),
                "parsings": tf.constant([png] * 2),
                "keypoints": tf.zeros([2, 18, 2]),
                "visible": tf.ones([2, 18], tf.bool),
                "pairs": tf.constant([(0, 1), (1, 0)]),
            }

        return tf.data.Dataset.range(1000).map(record)


def test_memory_does_not_grow_with_the_data_set(options, monkeypatch):
    monkeypatch.setattr(pairs, "PERSONS_BUFFER", 10)
    monkeypatch.setattr(pairs, "OPEN_PERSONS", 4)
    monkeypatch.setattr(pairs, "PAIRS_BUFFER", 20)
    persons = ManyPersons()
    iterator = pairs.pairs_dataset(persons, options(batch_size=2, height=32)).as_numpy_iterator()
    next(iterator)
    # The buffers hold 10 + 4 persons and 20 pairs; the rest is what a handful of prefetched batches needs.
    assert 10 <= persons.read < 100


def test_every_pair_once_with_more_persons_than_the_buffers_hold(options, monkeypatch):
    monkeypatch.setattr(pairs, "PERSONS_BUFFER", 30)
    monkeypatch.setattr(pairs, "OPEN_PERSONS", 8)
    monkeypatch.setattr(pairs, "PAIRS_BUFFER", 50)
    seen = _named_pairs(_batches(ManyPersons(), options(batch_size=100, height=32), 20))
    assert len(seen) == len(set(seen)) == 2000
