"""What is drawn and cut by joints, against values that the authors' own functions gave on two poses."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.layers.body_parts import NOTHING, PARTS, deform, part_maps, part_masks
from tfwarpgan.layers.part_crops import crop_corners, crop_places, part_crops
from tfwarpgan.layers.pose_maps import pose_map
from tfwarpgan.layers.pose_masks import pose_mask
from tfwarpgan.layers.region_boxes import REGIONS, region_boxes
from tfwarpgan.layers.stickman import stickman

SIZE = (128, 64)
M = (-1, -1)
# (y, x) in OpenPose's order.
A = [
    (14, 32), (26, 32), (27, 24), (42, 20), (56, 18), (27, 40), (42, 44), M, (60, 27), (84, 26), (108, 26), (60, 37),
    (84, 38), (108, 38), (12, 30), (12, 34), (13, 27), (13, 37),
]  # fmt: skip
B = [
    (16, 28), (28, 28), (29, 21), (22, 10), M, (29, 35), (44, 40), (58, 42), (62, 24), (86, 20), (110, 18), (62, 33),
    (86, 35), (110, 36), (14, 26), (14, 30), M, (15, 33),
]  # fmt: skip


def pose(points):
    """(joints, visible) of a list of 18 points, or of a dictionary of some."""
    if isinstance(points, dict):
        points = [points.get(joint, M) for joint in range(NUM_JOINTS)]
    joints = tf.constant([points], tf.float32)
    return joints, joints[..., 0] >= 0


def drawn(mask):
    rows, columns = np.nonzero(np.asarray(mask))
    return len(rows), (rows.min(), rows.max(), columns.min(), columns.max()) if len(rows) else ()


# PG2's mask


def test_a_disc_of_radius_4_has_49_pixels():
    assert np.sum(pose_map(*pose({0: (20, 20)}), *SIZE, radius=4)) == 49


@pytest.mark.parametrize(
    "points, expected",
    [
        ({2: (30, 20), 3: (42, 20)}, (157, (26, 46, 16, 24))),
        ({2: (20, 30), 3: (20, 42)}, (157, (16, 24, 26, 46))),
        ({2: (30, 20)}, (0, ())),
    ],
    ids=["a limb", "turned", "a joint without a limb"],
)
def test_mask_of_a_limb(points, expected):
    assert drawn(pose_mask(*pose(points), *SIZE, radius=4)[0]) == expected


@pytest.mark.parametrize("points, radius, count", [(A, 4, 2287), (B, 4, 2140), (A, 7, 2996), (B, 7, 3171)])
def test_mask_of_a_person(points, radius, count):
    mask = np.asarray(pose_mask(*pose(points), *SIZE, radius=radius))
    assert mask.shape == (1, *SIZE) and mask.sum() == count and set(np.unique(mask)) == {0, 1}


def test_a_mask_reaches_in_from_a_joint_beyond_the_edge():
    inside = pose_mask(*pose({2: (30, 60), 3: (42, 63)}), *SIZE)
    beyond = pose_mask(*pose({2: (30, 60), 3: (42, 67)}), *SIZE)
    assert 0 < np.sum(beyond) and np.asarray(beyond)[0, 40, 63] == 1 == np.asarray(inside)[0, 40, 63]


# DSCF's parts


def maps_of(condition, target):
    return dict(zip(PARTS, np.asarray(part_maps(*pose(condition), *pose(target), 128))[0]))


def mask_sizes(points):
    return dict(zip(PARTS, np.asarray(part_masks(*pose(points), *SIZE)).sum(axis=(2, 3))[0]))


def test_part_maps_of_a_toy():
    condition = {2: (20, 20), 5: (20, 40), 8: (60, 20), 11: (60, 40), 3: (40, 20)}
    target = {2: (24, 22), 5: (24, 42), 8: (64, 22), 11: (64, 42), 3: (24, 2)}
    maps = maps_of(condition, target)
    np.testing.assert_allclose(maps.pop("body"), [[1, 0, -2], [0, 1, -4]], atol=1e-4)
    np.testing.assert_allclose(maps.pop("right upper arm"), [[0, 1, -4], [-1, 0, 42]], atol=1e-4)
    np.testing.assert_array_equal(list(maps.values()), [NOTHING] * 8)
    mask = np.asarray(part_masks(*pose(target), *SIZE))[0]
    assert drawn(mask[PARTS.index("right upper arm")]) == (425, (16, 32, 0, 24))
    assert np.delete(mask, [0, PARTS.index("right upper arm")], axis=0).sum() == 0 and mask[0].all()


@pytest.mark.parametrize(
    "part, expected",
    [
        ("body", [[1.1336, -0.0172, 0.7580], [0, 1, -2]]),
        ("head", [[1.1120, 0.0092, 0.5905], [0, 1, -2]]),
        ("left forearm", [[0.9611, -0.2802, -6.1177], [0.2802, 0.9600, -11.4454]]),  # from the condition's right one
        ("right forearm", NOTHING),
    ],
)
def test_part_maps_between_two_poses(part, expected):
    np.testing.assert_allclose(maps_of(A, B)[part], expected, atol=2e-4)


def test_sizes_of_part_masks():
    expected = {
        "head": 676, "right thigh": 391, "left thigh": 383, "right shin": 524, "left shin": 530,
        "right upper arm": 209, "left upper arm": 250, "right forearm": 0, "left forearm": 308,
    }  # fmt: skip
    found = mask_sizes(B)
    assert found.pop("body") == 128 * 64
    assert {part: abs(found[part] - count) <= 1 for part, count in expected.items()} == dict.fromkeys(expected, True)


def test_without_shoulders_nothing_fails():
    maps = maps_of({0: (10, 10), 3: (40, 20), 4: (50, 20)}, {0: (12, 10), 3: (40, 22), 4: (50, 22)})
    np.testing.assert_array_equal(maps["body"], [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(maps["right forearm"], [[1, 0, -2], [0, 1, 0]], atol=1e-4)
    assert np.all(np.isfinite(list(maps.values())))


def test_deformation_takes_the_nearest_and_the_largest():
    features = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    half_right = tf.constant([[[[1, 0, 0.5], [0, 1, 0]]]], tf.float32)
    moved = deform(features, half_right, tf.ones([1, 1, 4, 4]))
    np.testing.assert_array_equal(moved[0, 0, :, 0], [1, 2, 3, 0])
    two_parts = tf.tile(tf.constant([[[[1, 0, 0], [0, 1, 0]]]], tf.float32), [1, 2, 1, 1])
    masks = tf.stack([tf.ones([1, 4, 4]), tf.zeros([1, 4, 4])], axis=1)
    np.testing.assert_array_equal(deform(-tf.ones([1, 4, 4, 1]), two_parts, masks), tf.zeros([1, 4, 4, 1]))


def test_a_map_in_pixels_of_the_image_moves_smaller_features_less():
    features = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    two_right = tf.constant([[[[1, 0, 2], [0, 1, 0]]]], tf.float32)
    moved = deform(features, two_right, tf.ones([1, 1, 8, 8]))
    np.testing.assert_array_equal(moved[0, 0, :, 0], [1, 2, 3, 0])


# AUNET's drawing and crops


def test_lines_of_a_stickman():
    channels = np.asarray(stickman(*pose({10: (10, 20), 9: (30, 20)}), 64, 64))[0]
    assert (channels[..., 0] == 1).sum() == 21 and (channels[..., 1:] == -1).all()
    thick = np.asarray(stickman(*pose({10: (10, 20), 9: (30, 20)}), *SIZE))[0]
    assert abs((thick[..., 0] == 1).sum() - 113) <= 0.12 * 113  # OpenCV's count


def test_trunk_of_a_stickman():
    channels = np.asarray(stickman(*pose(A), *SIZE))[0]
    assert (channels[..., 2] == 1).sum() == 476
    half = np.isclose(channels, 127 / 127.5 - 1, atol=1e-6)
    assert half[..., 0].any() and half[..., 1].any() and not half[..., 2].any()
    assert (np.asarray(stickman(*pose({**dict(enumerate(A)), 8: M}), *SIZE))[0, ..., 2] == -1).all()


@pytest.mark.parametrize(
    "points, part, size, matrix",
    [
        ({5: (10, 20), 6: (30, 20)}, 2, 128, [[0, 3.2, -32], [6.4, 0, -96]]),
        ({11: (60, 20)}, 6, 128, [[0, 64 / 67, -57.3134], [128 / 67, 0, -6.209]]),
        ({5: (40, 40), 2: (40, 20), 0: (20, 30)}, 1, 128, [[-1.6, 0, 80], [0, 1.6, 0]]),
        ({5: (40, 40), 2: (40, 20)}, 1, 128, [[-3.2, 0, 128], [0, 3.2, -64]]),
    ],
    ids=["arm", "thigh without its knee", "head", "head without its nose"],
)
def test_places_of_crops(points, part, size, matrix):
    corners, there = crop_corners(*pose(points), size)
    assert there[0, part]
    places = np.asarray(crop_places(corners[:, part], (64, 64)))[0]
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    ahead = places @ np.array(matrix)[:, :2].T + np.array(matrix)[:, 2]
    np.testing.assert_allclose(ahead, np.stack([columns, rows], axis=-1), atol=2e-3)


def test_a_crop_of_four_corners_is_projective():
    quad = np.array([[[0, 0], [0, 64], [64, 32], [32, 0]]], np.float32)
    places = np.asarray(crop_places(tf.constant(quad), (2, 2)))[0]
    np.testing.assert_allclose(places[0, 0], [0, 0], atol=1e-5)
    # The middle of a projective square is where the diagonals of its image cross: (0, 0)-(64, 32), (0, 64)-(32, 0).
    np.testing.assert_allclose(places[1, 1], [25.6, 12.8], atol=1e-4)


def test_a_body_seen_from_the_side_has_crossing_corners():
    quad = tf.constant([[[18.75, 16.75], [19.25, 32.25], [18.75, 31.75], [19.25, 15.75]]])  # the horizon is at (16, 8)
    places = np.asarray(crop_places(quad, (32, 16)))[0]
    assert np.isfinite(places).all() and (places[16, 8] == 0).all()


def test_what_cannot_be_cropped_is_gray():
    joints, visible = pose(A)
    crops = tf.function(part_crops)(tf.ones([1, *SIZE, 3]), joints, visible, (8, 8))
    assert crops.shape == (1, 8, 8, 24)
    parts = np.asarray(crops).reshape(8, 8, 8, 3).min(axis=(0, 1, 3))
    np.testing.assert_allclose(parts, [1, 1, 1, 0, 1, 1, 1, 1], atol=1e-6)  # A has no left wrist


# BodyROI7's boxes


def test_boxes_of_regions():
    boxes, seen = region_boxes(*pose(A), *SIZE)
    expected = [
        [6, 18, 33, 46], [21, 12, 66, 50], [54, 20, 114, 44], [21, 34, 48, 50], [21, 12, 62, 30], [54, 31, 114, 44],
        [54, 20, 114, 33],
    ]  # fmt: skip
    np.testing.assert_array_equal(boxes[0], expected)
    assert np.all(seen)
    arms = [list(REGIONS).index(name) for name in ("right arm", "left arm")]
    np.testing.assert_array_equal(
        tf.gather(region_boxes(*pose(B), *SIZE)[0][0], arms), [[16, 4, 35, 27], [23, 29, 64, 48]]
    )


def test_boxes_of_one_joint_and_of_none():
    boxes, seen = region_boxes(*pose({10: (120, 60)}), *SIZE)
    places = list(REGIONS).index("right leg"), list(REGIONS).index("head")
    np.testing.assert_array_equal(tf.gather(boxes[0], places), [[110, 50, 127, 63], [0, 0, 1, 1]])
    np.testing.assert_array_equal(tf.gather(seen[0], places), [True, False])


@pytest.mark.parametrize("legs, growth, up", [({9: (200, 90), 12: (200, 160)}, 10, 10), ({9: (200, 90)}, 20, 25)])
def test_boxes_of_a_square_image(legs, growth, up):
    points = {0: (100, 120), 2: (100, 100), 5: (100, 150), **legs}
    boxes, _ = region_boxes(*pose(points), 256, 256)
    np.testing.assert_array_equal(boxes[0, 0], [100 - up - growth, 100 - growth, 100 + growth, 150 + growth])


def test_crops_end_short_of_their_boxes():
    """Boxes are divided by height and width, as the authors do, not by the last row and column."""
    image = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    box = tf.constant([[0.0, 0.0, 3.0, 3.0]]) / 4
    np.testing.assert_array_equal(tf.image.crop_and_resize(image, box, [0], [4, 4])[0, 0, :, 0], [0, 0.75, 1.5, 2.25])
