"""Generators of other systems in PyTorch, of random weights, run eagerly: what benchmarks/systems.py compares with.

Inputs are those of their pipelines once dense, the condition image and 18 maps of the target pose: [B, 21, H, W].
"""

import torch
from torch import nn
from torch.nn import functional

from tfwarpgan.layers.unet import halvings_of

INPUTS = 21


class UNet(nn.Module):
    """pix2pix."""

    def __init__(self, width, height_width):
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(halvings_of(*height_width, 8))]
        last = len(widths) - 1
        self.down = nn.ModuleList()
        for level, (before, after) in enumerate(zip([INPUTS, *widths], widths)):
            plain = level in (0, last)
            layers = [] if level == 0 else [nn.LeakyReLU(0.2)]
            layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=plain))
            self.down.append(nn.Sequential(*layers, *([] if plain else [nn.InstanceNorm2d(after, affine=True)])))
        self.up = nn.ModuleList()
        for before, after in zip([widths[-1], *(2 * each for each in widths[-2:0:-1])], widths[-2::-1]):
            layers = [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
            self.up.append(nn.Sequential(*layers, nn.InstanceNorm2d(after, affine=True)))
        self.output = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, 3, 4, 2, 1), nn.Tanh())

    def forward(self, features):
        maps = []
        for layer in self.down:
            features = layer(features)
            maps.append(features)
        for layer, joined in zip(self.up, maps[-2::-1]):
            features = torch.cat([layer(features), joined], 1)
        return self.output(features)


class Rung(nn.Module):
    """Two 3x3 convolutions with ReLU, and the input."""

    def __init__(self, before, width, residual=True):
        super().__init__()
        self.residual = residual
        self.layers = nn.Sequential(conv(before, width), conv(width, width))

    def forward(self, features):
        return self.layers(features) + features if self.residual else self.layers(features)


def conv(before, after, size=3, stride=1):
    return nn.Sequential(nn.Conv2d(before, after, size, stride, (size - 1) // 2), nn.ReLU())


class Ladder(nn.Module):
    """PG2's first stage."""

    def __init__(self, width, rungs, height_width):
        super().__init__()
        coarsest = [side >> (rungs - 1) for side in height_width]
        self.first = conv(INPUTS, width)
        self.down = nn.ModuleList(Rung(width * i, width * i) for i in range(1, rungs + 1))
        self.down_steps = nn.ModuleList(conv(width * i, width * (i + 1), 3, 2) for i in range(1, rungs))
        self.squeeze = nn.Linear(coarsest[0] * coarsest[1] * width * rungs, 64)
        self.spread = nn.Linear(64, coarsest[0] * coarsest[1] * width)
        self.coarsest = [width, *coarsest]
        counts = [width + width * rungs, *(2 * width * level for level in range(rungs - 1, 0, -1))]
        self.up = nn.ModuleList(Rung(count, count) for count in counts)
        levels = range(rungs - 1, 0, -1)
        self.up_steps = nn.ModuleList(conv(count, width * level, 1) for count, level in zip(counts, levels))
        self.output = nn.Conv2d(counts[-1], 3, 3, 1, 1)

    def forward(self, features):
        maps = [self.down[0](self.first(features))]
        for step, rung in zip(self.down_steps, self.down[1:]):
            maps.append(rung(step(maps[-1])))
        features = self.spread(self.squeeze(maps[-1].flatten(1))).unflatten(1, self.coarsest)
        for level, rung in enumerate(self.up):
            features = rung(torch.cat([features, maps[-1 - level]], 1))
            if level < len(self.up_steps):
                features = self.up_steps[level](functional.interpolate(features, scale_factor=2))
        return self.output(features)


class PG2(nn.Module):
    """Both stages."""

    def __init__(self, width, height_width):
        super().__init__()
        rungs = 1 + halvings_of(*height_width, (height_width[0] // 8).bit_length() - 1)
        self.coarse = Ladder(width, rungs, height_width)
        self.first = conv(6, width)
        count, self.joins_first = rungs - 2, height_width[0] >= 256
        widths = [width * i for i in range(1, count + 1)]
        self.down = nn.ModuleList(Rung(before, after, False) for before, after in zip([width, *widths[:-1]], widths))
        self.steps = nn.ModuleList(conv(each, each, 3, 2) for each in widths[:-1])
        self.up = nn.ModuleList()
        for level, joined in enumerate(widths[::-1]):
            before = joined if level == 0 else width
            joins = self.joins_first or level < count - 1
            self.up.append(Rung(before + joined * joins, width, False))
        self.output = nn.Conv2d(width, 3, 3, 1, 1)

    def forward(self, features):
        coarse = self.coarse(features)
        maps = [self.down[0](self.first(torch.cat([coarse, features[:, :3]], 1)))]
        for step, rung in zip(self.steps, self.down[1:]):
            maps.append(rung(step(maps[-1])))
        refined = maps[-1]
        for level, rung in enumerate(self.up):
            joins = self.joins_first or level < len(self.up) - 1
            refined = rung(torch.cat([refined, maps[-1 - level]], 1) if joins else refined)
            if level < len(self.up) - 1:
                refined = functional.interpolate(refined, scale_factor=2)
        return coarse + self.output(refined)


def peer(model, options):
    """Function that draws one picture, and how many parameters it has; (None, 0) of systems that have no peer here."""
    width, sizes = options.networks.generator_width, (options.data.height, options.data.width)
    if model == "warpgan":
        from torch_peer import TorchPeer
        from torch_served import Served

        network = Served(TorchPeer(options.networks, *sizes))
        image = torch.zeros([1, *sizes, 3], dtype=torch.uint8)
        inputs = image, image[..., 0], torch.zeros([1, 18, 2]), torch.ones([1, 18], dtype=torch.bool)
    elif model in ("pix2pix", "pg2"):
        network = (UNet if model == "pix2pix" else PG2)(width, sizes).eval()
        inputs = (torch.zeros([1, INPUTS, *sizes]),)
    else:
        return None, 0

    def draw():
        with torch.inference_mode():
            return network(*inputs)

    return draw, sum(each.numel() for each in network.parameters())
