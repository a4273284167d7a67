"""The part of a GAN's step that both stages share: what the discriminator says of a real and a synthesized result."""

from collections.abc import Iterable, Mapping, Sequence

from tfwarpgan.models.discriminator import PyramidDiscriminator
from tfwarpgan.training.losses import ADVERSARIAL, discriminator_loss, pyramid_loss
from tfwarpgan.typing import Scalar, Tensor, Tensors


def adversarial_terms(
    discriminator: PyramidDiscriminator,
    inputs: Tensors,
    key: str,
    real: Tensor,
    fake: Tensor,
    weights: Mapping[str, float],
    alphas: Sequence[float],
    form: str = "least_squares",
    more_fakes: Iterable[Tensor] = (),
) -> tuple[dict[str, Scalar], Scalar]:
    """One pass of the discriminator over both results serves both players.

    Each player's gradient is taken with respect to its own variables only, so the synthesized result needs no second
    pass behind a stopped gradient.

    Args:
        discriminator: A `PyramidDiscriminator`.
        inputs: Dictionary of what the results are judged with.
        key: The name under which the discriminator takes the result.
        real: The true result [B, H, W, C].
        fake: The synthesized result [B, H, W, C].
        weights: Dictionary of the weights of `adversarial` and `pyramid`; a term of weight 0 is left out.
        alphas: Weights of the pyramid's levels.
        form: The adversarial loss, a name in `losses.ADVERSARIAL`.
        more_fakes: Other results [B, H, W, C] that the discriminator learns to tell from real ones.

    Returns:
        (dictionary of the generator's terms, the discriminator's loss)
    """
    on_real = discriminator({**inputs, key: real}, training=True)
    on_fake = discriminator({**inputs, key: fake}, training=True)
    terms = {}
    if weights["adversarial"]:
        terms["adversarial"] = ADVERSARIAL[form](on_fake["scores"], 1.0)
    if weights["pyramid"]:
        terms["pyramid"] = pyramid_loss(on_real["features"], on_fake["features"], alphas)
    others = [discriminator({**inputs, key: other}, training=True)["scores"] for other in more_fakes]
    return terms, discriminator_loss(on_real["scores"], on_fake["scores"], *others, form=form)


def weighted_sum(terms: Mapping[str, Scalar], weights: Mapping[str, float]) -> Scalar:
    """sum_i weights[i] * terms[i]: of the generator's terms, the total loss of Dong et al. 2018, equation 3."""
    return sum(weights[name] * term for name, term in terms.items())
