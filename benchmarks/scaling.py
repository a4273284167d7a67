"""What several GPUs would do for the full-size training of the generator, on paper: the tables of docs/scale.md.

    python benchmarks/scaling.py

Nothing is measured. A step computes for `batch * flops / rate` seconds, then adds up the gradients in a ring, with
nothing of the one under the other; the batch of each GPU stays, so that of a step grows with the GPUs.
"""

import dataclasses

PARAMETERS = 184_183_620 + 2_827_201  # generator and discriminator, counted in tests/models/test_sizes.py
BYTES = 4  # of a gradient: weights are float32 under every --precision
GPUS = (8, 64, 512)
LINKS = (25, 400)  # Gbit/s of each GPU's link
RATE = 100e12  # FLOP/s that a GPU of today sustains in bfloat16, an assumption
IMAGES_PER_PAIR = 1 / 7  # read: a person's record holds each image once, here 8 of them and 7 pairs an image


@dataclasses.dataclass(frozen=True)
class Setting:
    """A flagfile of full size.

    Attributes:
        name: Its name in configs/.
        batch: Pairs per GPU.
        flops: Of a pair: forward, backward, frozen stages and perceptual network.
        image_bytes: Of an image with its label map in the records, of photographs.
    """

    name: str
    batch: int
    flops: float
    image_bytes: float


SETTINGS = (Setting("market.flags", 20, 203e9, 3.9e3), Setting("deepfashion.flags", 12, 1.6e12, 21e3))


def ring_seconds(gpus, gbits, parameters=PARAMETERS):
    """Time of a ring all-reduce: each GPU sends 2 (n - 1) / n of the gradients (Patarasuk & Yuan 2009); no latency."""
    return 2 * (gpus - 1) / gpus * parameters * BYTES * 8 / (gbits * 1e9)


def step_seconds(setting, gpus, gbits):
    """Time of a step."""
    return setting.batch * setting.flops / RATE + ring_seconds(gpus, gbits)


def efficiency(setting, gpus, gbits):
    """Pairs a second, as a part of those of as many GPUs that need not talk."""
    return step_seconds(setting, 1, gbits) / step_seconds(setting, gpus, gbits)


def read_bytes(setting, gpus, gbits):
    """Bytes a second that each worker reads: the records of the whole batch, of which it decodes its share."""
    return gpus * setting.batch * IMAGES_PER_PAIR * setting.image_bytes / step_seconds(setting, gpus, gbits)


def table(setting):
    """The lines of a setting's table."""
    yield (
        "| GPUs | pairs a step | ring, s: "
        + ", ".join(f"{gbits} Gbit/s" for gbits in LINKS)
        + (" | pairs/s | of the ideal | each worker reads, MB/s |")
    )
    yield "|---|---|---|---|---|---|"
    for gpus in GPUS:
        rings, rates, parts, reads = zip(
            *(
                (
                    f"{ring_seconds(gpus, gbits):.3f}",
                    f"{gpus * setting.batch / step_seconds(setting, gpus, gbits):,.0f}",
                    f"{100 * efficiency(setting, gpus, gbits):.0f} %",
                    f"{read_bytes(setting, gpus, gbits) / 1e6:,.1f}",
                )
                for gbits in LINKS
            )
        )
        cells = (f"{gpus}", f"{gpus * setting.batch:,}", *(", ".join(each) for each in (rings, rates, parts, reads)))
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for setting in SETTINGS:
        print(f"`configs/{setting.name}`, {setting.batch} pairs per GPU:\n")
        print(*table(setting), sep="\n", end="\n\n")
