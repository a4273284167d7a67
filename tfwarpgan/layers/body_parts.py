"""The ten parts of a body, each with an affine map of its own between two poses, found in the graph from joints.

After Siarohin et al., "Deformable GANs for Pose-based Human Image Generation", CVPR 2018 (DSCF): a part of the target
pose is mapped to that of the condition; features are sampled by each part's map, cut by its mask, and the largest is
kept. Points and maps are (x, y) in pixels here, as in its code.
"""

import tensorflow as tf

from tfwarpgan.typing import Features, Tensor

TRUNK = (8, 11, 5, 2)  # right hip, left hip, left shoulder, right shoulder
SHOULDERS = (2, 5)
HEAD = (14, 15, 16, 17, 0)  # eyes, ears, nose
# Right and left limb by turns: the joints from which and to which, and how far the mask reaches beyond.
LIMBS = (
    (8, 9, 0.1), (11, 12, 0.1), (9, 10, 0.5), (12, 13, 0.5), (2, 3, 0.1), (5, 6, 0.1), (3, 4, 0.5), (6, 7, 0.5),
)  # fmt: skip
PARTS = (
    "body", "head", "right thigh", "left thigh", "right shin", "left shin", "right upper arm", "left upper arm",
    "right forearm", "left forearm",
)  # fmt: skip
BEHIND, HALF_WIDTH, HALF_HEAD = 0.1, 0.2, 0.4
NOTHING = ((1.0, 0.0, 1000.0), (0.0, 1.0, 1000.0))
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
TINY = 1e-4


def torso_length(joints: Tensor, visible: Tensor, height: int) -> Tensor:
    """The quadratic mean of the lengths from hip to shoulder of both sides, [B]; of none, a third of the height."""
    lengths = tf.stack([tf.reduce_sum((joints[:, a] - joints[:, b]) ** 2, axis=-1) for a, b in ((8, 2), (11, 5))], 1)
    there = tf.stack([visible[:, a] & visible[:, b] for a, b in ((8, 2), (11, 5))], axis=1)
    mean = tf.math.divide_no_nan(
        tf.reduce_sum(tf.where(there, lengths, 0.0), axis=1), tf.reduce_sum(tf.cast(there, tf.float32), axis=1)
    )
    return tf.where(mean > 0, tf.sqrt(mean), height / 3)


def part_maps(
    condition_joints: Tensor, condition_visible: Tensor, target_joints: Tensor, target_visible: Tensor, height: int
) -> Tensor:
    """The affine map of each part, from the target to the condition.

    The body's lays the four joints of the trunk over each other by least squares, the head's the shoulders and what
    both show of eyes, ears and nose. A limb's turns and stretches it along its length, and across by the ratio of the
    torsos. A limb that the condition lacks is taken from its other side. What cannot be mapped maps far outside; body
    and head that lack a joint of the trunk stay in place.

    Args:
        condition_joints: float [B, 18, 2], (y, x) in pixels.
        condition_visible: bool [B, 18].
        target_joints: Likewise.
        target_visible: Likewise.
        height: Of the images, pixels.

    Returns:
        float32 [B, 10, 2, 3], in the order of `PARTS`.
    """
    condition, target = (tf.cast(joints, tf.float32)[..., ::-1] for joints in (condition_joints, target_joints))
    torsos = torso_length(condition, condition_visible, height), torso_length(target, target_visible, height)
    across = torsos[0] / torsos[1]
    both = condition_visible & target_visible
    trunk = tf.reduce_all(tf.gather(both, TRUNK, axis=1), axis=1)
    ones = tf.ones_like(tf.gather(both, TRUNK, axis=1), tf.float32)
    body = _least_squares(tf.gather(condition, TRUNK, axis=1), tf.gather(target, TRUNK, axis=1), ones)
    faces = tf.gather(both, HEAD, axis=1)
    weights = tf.concat([tf.cast(faces, tf.float32), ones[:, :2]], axis=1)
    joined = [tf.gather(points, (*HEAD, *SHOULDERS), axis=1) for points in (condition, target)]
    head = _least_squares(joined[0], joined[1], weights)
    head = tf.where(tf.reduce_any(faces, axis=1)[:, None, None], head, NOTHING)
    maps = [tf.where(trunk[:, None, None], part, IDENTITY) for part in (body, head)]
    for place, (start, end, _) in enumerate(LIMBS):
        other = LIMBS[place ^ 1]
        there = condition_visible[:, start] & condition_visible[:, end]
        from_other = condition_visible[:, other[0]] & condition_visible[:, other[1]]
        first, last = (
            tf.where(there[:, None], condition[:, own], condition[:, mirrored])
            for own, mirrored in zip((start, end), other[:2])
        )
        found = _limb_map(first, last, target[:, start], target[:, end], across)
        known = (there | from_other) & target_visible[:, start] & target_visible[:, end]
        maps.append(tf.where(known[:, None, None], found, NOTHING))
    return tf.stack(maps, axis=1)


def _least_squares(condition: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """The affine map [B, 2, 3] with the least weighted squares of map(target) - condition, points [B, n, 2]."""
    weights = weights[..., tf.newaxis] / tf.reduce_sum(weights, axis=1)[:, None, None]
    means = [tf.reduce_sum(weights * points, axis=1, keepdims=True) for points in (condition, target)]
    condition, target = condition - means[0], target - means[1]
    spread = tf.matmul(target, weights * target, transpose_a=True)
    determinant = spread[:, 0, 0] * spread[:, 1, 1] - spread[:, 0, 1] ** 2
    adjugate = tf.reshape(
        tf.stack([spread[:, 1, 1], -spread[:, 0, 1], -spread[:, 0, 1], spread[:, 0, 0]], axis=1), [-1, 2, 2]
    )
    inverse = tf.math.divide_no_nan(adjugate, determinant[:, None, None])
    matrix = tf.matmul(tf.matmul(condition, weights * target, transpose_a=True), inverse)
    return _joined(matrix, means[0][:, 0], means[1][:, 0])


def _limb_map(start1: Tensor, end1: Tensor, start2: Tensor, end2: Tensor, across: Tensor) -> Tensor:
    """The map [B, 2, 3] of the limb start2-end2 to start1-end1, points [B, 2]: what its rectangles' corners give."""
    (along1, length1), (along2, length2) = _direction(start1, end1), _direction(start2, end2)
    normals = [tf.stack([along[:, 1], -along[:, 0]], axis=1) for along in (along1, along2)]
    matrix = tf.math.divide_no_nan(length1, length2)[:, None, None] * _outer(along1, along2)
    return _joined(matrix + across[:, None, None] * _outer(*normals), start1, start2)


def _direction(start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    length = tf.norm(end - start, axis=1)
    return tf.math.divide_no_nan(end - start, length[:, tf.newaxis]), length


def _outer(first: Tensor, second: Tensor) -> Tensor:
    return first[:, :, tf.newaxis] * second[:, tf.newaxis]


def _joined(matrix: Tensor, condition: Tensor, target: Tensor) -> Tensor:
    """The map [B, 2, 3] by the matrix [B, 2, 2] that takes the point `target` [B, 2] to `condition`."""
    shift = condition - tf.squeeze(tf.matmul(matrix, target[..., tf.newaxis]), axis=-1)
    singular = tf.abs(matrix[:, 0, 0] * matrix[:, 1, 1] - matrix[:, 0, 1] * matrix[:, 1, 0]) < TINY
    return tf.where(singular[:, None, None], NOTHING, tf.concat([matrix, shift[..., tf.newaxis]], axis=2))


def part_masks(joints: Tensor, visible: Tensor, height: int, width: int) -> Tensor:
    """Where each part is in a pose: all of the image for the body, a square for the head, rectangles for the limbs.

    Args:
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        float32 [B, 10, H, W] of 0 and 1, in the order of `PARTS`; a limb that lacks a joint has none.
    """
    points = tf.cast(joints, tf.float32)[..., ::-1]
    torso = torso_length(points, visible, height)
    rows, columns = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    pixels = tf.stack([columns, rows], axis=-1)  # [H, W, 2]
    masks = [tf.ones([tf.shape(points)[0], height, width], tf.bool), _head_mask(points, visible, torso, pixels)]
    for start, end, beyond in LIMBS:
        along, length = _direction(points[:, start], points[:, end])
        from_start = pixels - points[:, start][:, None, None]
        lengthwise = tf.reduce_sum(from_start * along[:, None, None], axis=-1)
        sideways = tf.reduce_sum(from_start * tf.stack([along[:, 1], -along[:, 0]], 1)[:, None, None], axis=-1)
        length, half = length[:, None, None], HALF_WIDTH * torso[:, None, None]
        last = (1 + beyond * (1 + BEHIND)) * length  # what lies beyond is a share of the limb as lengthened behind
        inside = (
            (lengthwise >= -BEHIND * length - TINY) & (lengthwise <= last + TINY) & (tf.abs(sideways) <= half + TINY)
        )
        masks.append(inside & (visible[:, start] & visible[:, end])[:, None, None])
    return tf.cast(tf.stack(masks, axis=1), tf.float32)


def _head_mask(points: Tensor, visible: Tensor, torso: Tensor, pixels: Tensor) -> Tensor:
    seen = tf.cast(tf.gather(visible, HEAD, axis=1), tf.float32)[..., tf.newaxis]
    count = tf.reduce_sum(seen, axis=1)
    center = tf.floor(tf.math.divide_no_nan(tf.reduce_sum(seen * tf.gather(points, HEAD, axis=1), axis=1), count))
    half = tf.floor(HALF_HEAD * torso)[:, None, None, None]
    center = center[:, None, None]
    inside = tf.reduce_all((pixels >= center - half) & (pixels < center + half), axis=-1)
    return inside & (count > 0)[..., None]


def deform(features: Features, maps: Tensor, masks: Tensor) -> Features:
    """Features moved part by part: each sampled by its map, 0 outside, times its mask; the largest of all parts.

    Args:
        features: [B, h, w, C], of an image of s h x s w pixels.
        maps: [B, P, 2, 3] of `part_maps`, in pixels of the image.
        masks: [B, P, s h, s w] of `part_masks`.

    Returns:
        Like `features`; the nearest sample is taken, as in the authors' code.
    """
    height, width, channels = features.shape[1:]
    scale = masks.shape[2] // height
    masks = tf.cast(masks[:, :, ::scale, ::scale, tf.newaxis], features.dtype)
    rows, columns = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    pixels = tf.reshape(tf.stack([columns, rows, tf.ones_like(rows)], axis=-1), [-1, 3])
    maps = tf.concat([maps[..., :2], maps[..., 2:] / scale], axis=-1)
    values, moved = tf.reshape(features, [-1, height * width, channels]), []
    for part in range(maps.shape[1]):
        places = tf.floor(tf.einsum("bij,pj->bpi", maps[:, part], pixels) + 0.5)
        inside = tf.reduce_all((places >= 0) & (places < [width, height]), axis=-1, keepdims=True)
        places = tf.cast(tf.where(inside, places, 0.0), tf.int32)
        found = tf.gather(values, places[..., 1] * width + places[..., 0], batch_dims=1)
        found = tf.reshape(tf.where(inside, found, tf.zeros_like(found)), [-1, height, width, channels])
        moved.append(found * masks[:, part])
    return tf.reduce_max(moved, axis=0)
