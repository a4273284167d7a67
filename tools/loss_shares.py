"""How hard each loss pulls at the synthesized image: `python tools/loss_shares.py --run_dir=runs/demo`.

For those who choose weights. The gradient of each weighted term with respect to the synthesized image, its L2 norm per
image averaged over test pairs, and its share of the sum of norms; the perceptual loss layer by layer.
"""

import dataclasses
import functools

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, option


@dataclasses.dataclass(frozen=True)
class SharesOptions:
    """How much is looked at."""

    batches: int = option(8, "Batches of test pairs to average over.", minimum=1)


def main(options, shares):
    """Prints a table: term, norm of its gradient, share."""
    import numpy as np

    from tfwarpgan.inference.checkpoints import stage_folder
    from tfwarpgan.training.checkpoints import StageCheckpoints
    from tfwarpgan.training.optimization import make_optimizer
    from tfwarpgan.training.source import open_source
    from tfwarpgan.training.stage_data import StageData
    from tfwarpgan.training.stages import TRAINERS

    stage = "warping_generator"
    trainer = TRAINERS[stage](options)
    trainer.compile_networks(functools.partial(make_optimizer, options.train, options.train.steps_of(stage)))
    steps = StageCheckpoints(trainer, stage_folder(options.train.run_dir, stage)).restore()
    batches = StageData(options, open_source(options)).dataset("test").take(shares.batches)
    found = [norms(trainer, batch) for batch in batches]
    means = {name: float(np.mean([values[name] for values in found])) for name in found[0]}
    print(f"step {steps}, {shares.batches} batches: mean L2 norm of the gradient, share")
    for name, mean in means.items():
        print(f"{name:12} {mean:9.4f} {mean / sum(means.values()):7.1%}")


def norms(trainer, batch):
    """Term -> L2 norm of the weighted term's gradient with respect to the images of a batch."""
    import tensorflow as tf

    from tfwarpgan.training.losses import on_background_of, perceptual_loss

    inputs, weights = trainer.pipeline.conditions(batch), trainer.weights_of_terms
    real, parsing = batch["target_image"], batch["target_parsing"]
    fake = trainer.networks["warping_generator"](inputs, training=True)["image"]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(fake)
        terms, _ = trainer._terms(inputs, real, fake, trainer.pixel_weights(parsing), parsing)
        values = {name: weights[name] * term for name, term in terms.items() if name != "perceptual"}
        if "perceptual" in terms:
            judged = fake if trainer.judge_background else on_background_of(real, fake, parsing)
            features, alphas = (trainer.perceptual(real), trainer.perceptual(judged)), trainer.perceptual.alphas
            for layer, name in enumerate(trainer.perceptual.features.output_names):
                alone = [alpha if place == layer else 0.0 for place, alpha in enumerate(alphas)]
                loss = perceptual_loss(*features, alone, trainer.perceptual_form)
                values[name] = weights["perceptual"] * loss
    return {name: float(tf.norm(tape.gradient(value, fake))) for name, value in values.items()}


def cli():
    """The command."""
    run_command(main, Options, SharesOptions, takes=("run_dir",), reads_run=True)


if __name__ == "__main__":
    cli()
