"""The losses of the three stages: pure functions that give a scalar, the mean over their batch.

Section and equation numbers are those of Dong et al. 2018.
"""

from collections.abc import Sequence

import tensorflow as tf

from tfwarpgan.body.labels import HEAD, NUM_LABELS
from tfwarpgan.evaluation.metrics.ssim import continued, similarity, window
from tfwarpgan.typing import Features, Grid, Image, Labels, Logits, OneHot, Scalar, Tensor


def cross_entropy(scores: Sequence[Tensor], target: float) -> Scalar:
    """The loss of Goodfellow et al. 2014: the mean cross-entropy of each map of logits to `target`, over the scales."""
    losses = (tf.nn.sigmoid_cross_entropy_with_logits(target * tf.ones_like(score), score) for score in scores)
    return tf.add_n([tf.reduce_mean(loss) for loss in losses]) / len(scores)


def least_squares(scores: Sequence[Tensor], target: float) -> Scalar:
    """The LSGAN loss (Mao et al., ICCV 2017): mean (score - target)^2 of each score map, averaged over the scales."""
    return tf.add_n([tf.reduce_mean((score - target) ** 2) for score in scores]) / len(scores)


# --adversarial -> the loss of scores, against 1 for real and 0 for fake.
ADVERSARIAL = {"least_squares": least_squares, "cross_entropy": cross_entropy}


def discriminator_loss(
    real_scores: Sequence[Tensor], *fake_scores: Sequence[Tensor], form: str = "least_squares"
) -> Scalar:
    """Half of the losses of real scores against 1 and of fake scores against 0; of several fakes, their mean."""
    loss = ADVERSARIAL[form]
    fakes = tf.add_n([loss(scores, 0.0) for scores in fake_scores]) / len(fake_scores)
    return 0.5 * (loss(real_scores, 1.0) + fakes)


def mean_absolute(first: Tensor, second: Tensor) -> Scalar:
    """The mean of |first - second|, in float32."""
    return tf.reduce_mean(tf.abs(tf.cast(first, tf.float32) - tf.cast(second, tf.float32)))


def pixel_weights(labels: Labels | None, person_weight: float = 1.0, head_weight: float = 0.0) -> Tensor | None:
    """How much each pixel counts in the pixel loss: a background pixel 1, one of the person more.

    Ma et al. (NeurIPS 2017, equation 3) weight the person so, by 2. A head is few pixels, which people look at first.

    Args:
        labels: Integer [B, H, W], of the target; None only if all pixels weigh the same.
        person_weight: Weight of a person's pixel (a label above 0).
        head_weight: Weight of a pixel of hat, hair, sunglasses or face; 0: that of the person.

    Returns:
        float32 [B, H, W], of mean 1 in each image; None if all pixels weigh the same.
    """
    by_label = [1.0] + [person_weight] * (NUM_LABELS - 1)
    for label in HEAD:
        by_label[label] = head_weight or person_weight
    if set(by_label) == {1.0}:
        return None
    weights = tf.gather(tf.constant(by_label, tf.float32), tf.cast(labels, tf.int32))
    return weights / tf.reduce_mean(weights, axis=[1, 2], keepdims=True)


def pixel_loss(real: Image, fake: Image, weights: Tensor | None = None) -> Scalar:
    """The L1 distance of images.

    Args:
        real: Float [B, H, W, 3].
        fake: Float [B, H, W, 3].
        weights: Of the pixels, [B, H, W], or None; see `pixel_weights`.
    """
    if weights is None:
        return mean_absolute(real, fake)
    distances = tf.reduce_mean(tf.abs(tf.cast(real, tf.float32) - tf.cast(fake, tf.float32)), axis=-1)
    return tf.reduce_mean(weights * distances)


def ssim_loss(real: Image, fake: Image, weights: Tensor | None = None) -> Scalar:
    """1 - SSIM, by the Gaussian window (Zhao et al., IEEE Transactions on Computational Imaging, 2017).

    L1 is satisfied with a blur where an image cannot be known to the pixel; SSIM asks for its variance, too.

    Args:
        real: Float [B, H, W, 3] in [-1, 1].
        fake: Likewise.
        weights: As in `pixel_loss`.
    """
    gaussian = window("gaussian")
    x, y = (continued(tf.cast(images, tf.float32) + 1.0, gaussian) for images in (real, fake))
    distances = 1.0 - tf.reduce_mean(similarity(x, y, gaussian, 2.0), axis=-1)
    return tf.reduce_mean(distances if weights is None else weights * distances)


def on_background_of(real: Image, fake: Image, labels: Labels) -> Image:
    """The person of `fake` on the background of `real`, [B, H, W, 3]; labels integer [B, H, W], above 0: a person."""
    return tf.where((labels > 0)[..., tf.newaxis], fake, tf.cast(real, fake.dtype))


def person_l1(real: Image, fake: Image, person: Tensor) -> Scalar:
    """The mean absolute difference of images [B, H, W, 3] over the pixels of `person`, bool [B, H, W]."""
    person = tf.cast(person, tf.float32)[..., tf.newaxis]
    distance = tf.reduce_sum(person * tf.abs(real - fake), axis=[1, 2, 3])
    return tf.reduce_mean(distance / (3.0 * tf.reduce_sum(person, axis=[1, 2, 3]) + 1e-6))


def pyramid_loss(
    real_features: Sequence[Features], fake_features: Sequence[Features], alphas: Sequence[float]
) -> Scalar:
    """The pyramidal-hierarchy loss (equation 2): sum_i alpha_i |F_i(real) - F_i(fake)|_1, a mean over each map.

    Args:
        real_features: List of feature maps [B, h, w, C]; those of scale s + 1 follow those of scale s.
        fake_features: List of feature maps like `real_features`.
        alphas: A weight for each level of a scale; a level of weight 0 is not computed.
    """
    scales = len(real_features) // len(alphas)
    terms = [
        alpha * mean_absolute(tf.stop_gradient(real), fake)
        for real, fake, alpha in zip(real_features, fake_features, tuple(alphas) * scales, strict=True)
        if alpha
    ]
    return tf.add_n(terms) / scales if terms else tf.constant(0.0)


# VGG's published weights see images of range 255; those of torchvision, which pix2pixHD's weights of the layers are
# made for, see them divided by a standard deviation of about 0.226 x 255, and their features are smaller by as much.
FEATURE_SCALE = 58.0


def perceptual_loss(
    real_features: Sequence[Features], fake_features: Sequence[Features], alphas: Sequence[float], form: str = "plain"
) -> Scalar:
    """Weighted L1 distances of VGG features: sum_l alpha_l |R_l - F_l|_1, a mean over each layer.

    Args:
        real_features: List of [B, h, w, C]; no gradient goes there.
        fake_features: Likewise.
        alphas: A weight for each layer.
        form: "plain" (Wang et al., pix2pixHD, CVPR 2018), at the scale of torchvision's features; or "relative": each
            image's distance divided by the mean of its real features, which lifts the deepest layers.
    """
    terms = []
    for real, fake, alpha in zip(real_features, fake_features, alphas, strict=True):
        real = tf.stop_gradient(real)
        distance = tf.reduce_mean(tf.abs(tf.cast(real - fake, tf.float32)), axis=[1, 2, 3])
        if form == "relative":
            distance /= tf.reduce_mean(tf.abs(tf.cast(real, tf.float32)), axis=[1, 2, 3]) + 1e-3
        else:
            distance /= FEATURE_SCALE
        terms.append(alpha * tf.reduce_mean(distance))
    return tf.add_n(terms)


def nearest_neighbor_loss(real: Features, fake: Features, size: int) -> Scalar:
    """The nearest-neighbor loss of Siarohin et al., "Deformable GANs", CVPR 2018.

    At each position the L1 distance, summed over the channels, to the nearest of the real features round it.

    Args:
        real: [B, h, w, C]; no gradient goes there.
        fake: Likewise.
        size: Height and width of the neighborhood, odd.

    Returns:
        The mean over the positions.
    """
    height, width = fake.shape[1:3]
    margin = size // 2
    far = tf.pad(tf.stop_gradient(real), [[0, 0], [margin] * 2, [margin] * 2, [0, 0]], constant_values=-10_000.0)
    least = None
    for row in range(size):
        for column in range(size):
            shifted = far[:, row : row + height, column : column + width]
            distance = tf.reduce_sum(tf.abs(tf.cast(fake - shifted, tf.float32)), axis=-1)
            least = distance if least is None else tf.minimum(least, distance)
    return tf.reduce_mean(least)


def parsing_cross_entropy(labels: Labels, logits: Logits) -> Scalar:
    """Pixel-wise softmax cross-entropy (section 3.1).

    Args:
        labels: Integer [B, H, W]; a pixel of a label outside 0..C-1 (as 255) counts as loss 0.
        logits: float32 [B, H, W, C].

    Returns:
        The mean over all pixels, ignored ones included, so that the mean of two half batches is the mean of the batch
        whatever is ignored in each.
    """
    counts, labels = _counted(labels, logits)
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(values * tf.cast(counts, values.dtype))


def pixel_accuracy(labels: Labels, logits: Logits) -> tuple[Scalar, Scalar]:
    """Share of the counted pixels whose largest logit is the label's.

    Args:
        labels: As in `parsing_cross_entropy`.
        logits: As in `parsing_cross_entropy`.

    Returns:
        The share, 0 where no pixel counts, and its weight in a mean over batches and replicas: the share of all pixels
        that count.
    """
    counts, labels = _counted(labels, logits)
    right = counts & (tf.argmax(logits, axis=-1, output_type=tf.int32) == labels)
    counted = tf.reduce_mean(tf.cast(counts, tf.float32))
    return tf.math.divide_no_nan(tf.reduce_mean(tf.cast(right, tf.float32)), counted), counted


def _counted(labels: Labels, logits: Logits) -> tuple[Tensor, Labels]:
    labels = tf.cast(labels, tf.int32)
    counts = (labels >= 0) & (labels < logits.shape[-1])
    return counts, tf.where(counts, labels, tf.zeros_like(labels))


def transformed_grid_loss(grid: Grid, true_grid: Grid) -> Scalar:
    """The mean squared distance of two grids [B, H, W, 2] (Rocco et al. 2017, section 4.1)."""
    return tf.reduce_mean(tf.reduce_sum((grid - true_grid) ** 2, axis=-1))


def grid_smoothness(grid: Grid) -> Scalar:
    """The mean squared second difference of a grid [..., H, W, 2] along both axes, in units of its own step.

    0 for every affine grid.
    """
    height, width = grid.shape[-3:-1]
    step = tf.constant([2.0 / (width - 1), 2.0 / (height - 1)])
    vertical = (grid[..., 2:, :, :] - 2.0 * grid[..., 1:-1, :, :] + grid[..., :-2, :, :]) / step
    horizontal = (grid[..., 2:, :] - 2.0 * grid[..., 1:-1, :] + grid[..., :-2, :]) / step
    return tf.reduce_mean(vertical**2) + tf.reduce_mean(horizontal**2)


def soft_iou_loss(warped: OneHot, target: OneHot) -> Scalar:
    """One minus the soft intersection over union of two label maps, averaged over the labels of the target.

    Args:
        warped: Float [B, H, W, 20], a bilinearly warped one-hot map.
        target: One-hot float [B, H, W, 20].
    """
    intersection = tf.reduce_sum(tf.minimum(warped, target), axis=[1, 2])
    union = tf.reduce_sum(tf.maximum(warped, target), axis=[1, 2])
    present = tf.cast(tf.reduce_any(target > 0, axis=[1, 2]), warped.dtype)
    iou = tf.reduce_sum(present * intersection / tf.maximum(union, 1.0), axis=-1) / tf.reduce_sum(present, axis=-1)
    return 1.0 - tf.reduce_mean(iou)
