"""The training step of the warping generator in PyTorch, run eagerly: what benchmarks/train_step.py compares with.

The same layers at the same sizes as tfwarpgan.models, the same losses as tfwarpgan.training, and the same arithmetic of
the step: the frozen stages, one pass of the generator, one of the discriminator over each picture, VGG19 over each
picture, two gradients, two Adam steps. Nothing of it is used elsewhere.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

LABELS, JOINTS = 20, 18
VGG19 = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,))  # to conv5_1; the first of each block is compared
VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def convolution(inputs, outputs, size=3, stride=1, reflect=False):
    """A convolution that keeps the size (divides it by the stride)."""
    mode = "reflect" if reflect else "zeros"
    padding = "same" if stride == 1 else (size - 1) // 2
    return nn.Conv2d(inputs, outputs, size, stride, padding, padding_mode=mode)


def normalized(layer):
    return nn.Sequential(layer, nn.InstanceNorm2d(layer.out_channels), nn.ReLU())


def encoder(inputs, width):
    layers = [normalized(convolution(inputs, width, 7, reflect=True))]
    layers += [normalized(convolution(width * factor, 2 * width * factor, 3, 2)) for factor in (1, 2, 4)]
    return nn.Sequential(*layers)


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = nn.Sequential(
            normalized(convolution(width, width)), convolution(width, width), nn.InstanceNorm2d(width)
        )

    def forward(self, x):
        return x + self.block(x)


def decoder(trunk_width, width, channels):
    widths = [trunk_width // factor for factor in (1, 2, 4, 8)]
    layers = [
        normalized(nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1))
        for before, after in zip(widths, widths[1:])
    ]
    if widths[-1] != width:
        layers.append(normalized(convolution(widths[-1], width)))
    return nn.Sequential(*layers, convolution(width, channels, 7, reflect=True))


def trunk(width, blocks):
    return nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))


class Parser(nn.Sequential):
    """Stage I: condition parsing and target pose [B, 38, H, W] -> logits [B, 20, H, W]."""

    def __init__(self, width, blocks):
        super().__init__(encoder(LABELS + JOINTS, width), trunk(8 * width, blocks), decoder(8 * width, width, LABELS))


class Regression(nn.Module):
    def __init__(self, positions, initial):
        super().__init__()
        self.layers = nn.Sequential(
            normalized(convolution(positions, 128, 7)), normalized(convolution(128, 64, 5)), nn.Flatten()
        )
        self.dense = nn.Linear(64 * positions, len(initial))
        nn.init.zeros_(self.dense.weight)
        self.dense.bias.data = torch.tensor(initial)

    def forward(self, matches):
        return self.dense(self.layers(matches))


class Matcher(nn.Module):
    """Condition and target parsing [B, 20, H, W] -> affine parameters [B, 6] and spline offsets [B, 9, 2]."""

    def __init__(self, width, height, image_width):
        super().__init__()
        widths = [LABELS, *(width * 2**i for i in range(4))]
        layers = [normalized(convolution(a, b, 4, 2)) for a, b in zip(widths, widths[1:])]
        self.extractor = nn.Sequential(*layers, convolution(widths[-1], widths[-1]))
        positions = (height // 16) * (image_width // 16)
        self.affine = Regression(positions, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
        self.spline = Regression(positions, [0.0] * 18)

    def forward(self, condition, target):
        target = functional.normalize(self.extractor(target))
        affine = self.affine(self._matches(condition, target))
        grid = functional.affine_grid(affine.view(-1, 2, 3), condition.shape, align_corners=True)
        warped = functional.grid_sample(condition, grid, padding_mode="border", align_corners=True)
        return affine, self.spline(self._matches(warped, target)).view(-1, 9, 2)

    def _matches(self, parsing, target):
        features = functional.normalize(self.extractor(parsing))
        similarity = torch.einsum("bcp,bcq->bpq", features.flatten(2), target.flatten(2))
        return functional.normalize(functional.relu(similarity)).view(len(parsing), -1, *target.shape[2:])


def spline_basis(height, width):
    """The matrix [H*W, 9] from offsets of the 3x3 control points to those of the positions."""
    axis = np.linspace(-1, 1, 3)
    control = np.stack(np.meshgrid(axis, axis), -1).reshape(9, 2)
    points = np.stack(np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height)), -1).reshape(-1, 2)

    def kernel(a, b):
        squared = ((a[:, None] - b) ** 2).sum(-1)
        return squared * np.log(np.maximum(squared, 1e-12))

    def affine(a):
        return np.concatenate([np.ones([len(a), 1]), a], 1)

    system = np.block([[kernel(control, control), affine(control)], [affine(control).T, np.zeros([3, 3])]])
    basis = np.concatenate([kernel(points, control), affine(points)], 1) @ np.linalg.inv(system)[:, :9]
    return torch.tensor(basis, dtype=torch.float32), torch.tensor(points, dtype=torch.float32)


class Generator(nn.Module):
    """Stage II with a convolutional residual and a spatial gate."""

    def __init__(self, width, blocks, fusion_width, height, image_width):
        super().__init__()
        channels = 8 * width
        self.appearance, self.pose = encoder(3 + LABELS, width), encoder(LABELS + JOINTS, width)
        self.refinement = nn.Sequential(
            normalized(convolution(channels, channels)), convolution(channels, channels), nn.InstanceNorm2d(channels)
        )
        self.gate = convolution(2 * channels, 1)
        self.fusion = nn.Identity()
        if fusion_width != 2 * channels:
            self.fusion = normalized(convolution(2 * channels, fusion_width))
        self.trunk, self.decoder = trunk(fusion_width, blocks), decoder(fusion_width, width, 3)
        self.size = (height // 8, image_width // 8)
        basis, points = spline_basis(*self.size)
        self.register_buffer("basis", basis)
        self.register_buffer("points", points)

    def forward(self, appearance, pose, affine, spline):
        features = self.appearance(appearance)
        points = self.points + self.basis @ spline
        matrix = affine.view(-1, 2, 3)
        grid = (points @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]).view(-1, *self.size, 2)
        warped = functional.grid_sample(self.refinement(features), grid, padding_mode="border", align_corners=True)
        gate = torch.sigmoid(self.gate(torch.cat([features, warped], 1)))
        joined = self.fusion(torch.cat([features + gate * warped, self.pose(pose)], 1))
        return torch.tanh(self.decoder(self.trunk(joined)))


class Discriminator(nn.Module):
    """[B, 64, H, W] -> (score map, feature maps 0, 1, 2)."""

    def __init__(self, width):
        super().__init__()
        widths = [3 + 2 * LABELS + JOINTS + 3, width, 2 * width, 4 * width, 8 * width]
        strides = (2, 2, 2, 1)
        self.layers = nn.ModuleList(convolution(a, b, 4, s) for a, b, s in zip(widths, widths[1:], strides))
        self.normalization = nn.InstanceNorm2d(1)  # without parameters: for any number of channels
        self.output = convolution(widths[-1], 1, 4)

    def forward(self, x):
        features = []
        for level, layer in enumerate(self.layers):
            x = layer(x)
            x = functional.leaky_relu(functional.instance_norm(x) if level else x, 0.2)
            features.append(x)
        return self.output(x), features[:3]


class Vgg19(nn.Module):
    """Pictures in [-1, 1] -> the first features of each of five blocks."""

    def __init__(self):
        super().__init__()
        before, self.blocks = 3, nn.ModuleList()
        for widths in VGG19:
            self.blocks.append(nn.ModuleList())
            for width in widths:
                self.blocks[-1].append(convolution(before, width))
                before = width

    def forward(self, image):
        mean = torch.tensor([103.939, 116.779, 123.68], device=image.device).view(1, 3, 1, 1)
        x, features = (image.flip(1) + 1) * 127.5 - mean, []
        for number, block in enumerate(self.blocks):
            x = functional.max_pool2d(x, 2) if number else x
            for position, layer in enumerate(block):
                x = functional.relu(layer(x))
                if position == 0:
                    features.append(x)
        return features


class TorchPeer:
    """All networks and both optimizers; `step(batch)` trains once on a batch of `random_batch` of train_step.py.

    Args:
        networks: `NetworkOptions`.
        height, width: Size of the pictures.
        channels_last: Whether tensors are NHWC in memory.
        fused: Whether Adam is one kernel per network.
        device: "cpu" or "cuda".
    """

    def __init__(self, networks, height, width, channels_last=False, fused=False, device="cpu"):
        self.size, self.device = (height, width), device
        self.half = False  # whether the forward passes run in bfloat16, by autocast
        fusion_width = networks.fusion_width or 16 * networks.generator_width
        self.generator = Generator(networks.generator_width, networks.generator_blocks, fusion_width, height, width)
        self.discriminator = Discriminator(networks.discriminator_width)
        self.parser = Parser(networks.parser_width, networks.parser_blocks)
        self.matcher = Matcher(networks.matcher_width, height, width)
        self.vgg = Vgg19()
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.networks = (self.generator, self.discriminator, self.parser, self.matcher, self.vgg)
        for network in self.networks:
            network.to(device, memory_format=self.memory_format)
        for network in (self.parser, self.matcher, self.vgg):
            network.requires_grad_(False)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999), fused=fused)
            for network in (self.generator, self.discriminator)
        ]

    def compile(self):
        """Compiles each network where it is called first."""
        for network in self.networks:
            network.compile()

    def tensors(self, batch):
        """A batch of arrays as tensors, pictures as [B, 3, H, W]."""
        values = {name: torch.from_numpy(value).to(self.device) for name, value in batch.items()}
        for name in ("condition_image", "target_image"):
            values[name] = values[name].permute(0, 3, 1, 2).contiguous(memory_format=self.memory_format)
        return values

    def parameters(self):
        """Numbers of parameters of the trained and the frozen networks."""
        names = ("generator", "discriminator", "parser", "matcher")
        return {name: sum(p.numel() for p in getattr(self, name).parameters()) for name in names}

    def step(self, batch):
        """One training step; gives both losses."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            inputs = self._conditions(batch)
            fake = self.generator(*inputs["generator"])
            total, of_discriminator = self._losses(inputs["judged"], batch["target_image"], fake)
        losses = ((self.generator, total), (self.discriminator, of_discriminator))
        gradients = [
            torch.autograd.grad(loss, list(network.parameters()), retain_graph=network is self.generator)
            for network, loss in losses
        ]
        for (network, _), values, optimizer in zip(losses, gradients, self.optimizers):
            for parameter, value in zip(network.parameters(), values):
                parameter.grad = value
            optimizer.step()
        return total.item(), of_discriminator.item()

    @torch.no_grad()
    def _conditions(self, batch):
        condition = self.one_hot(batch["condition_parsing"])
        pose = self.pose_map(batch["target_keypoints"], batch["target_visible"])
        target = self.one_hot(self.parser(torch.cat([condition, pose], 1)).argmax(1))
        affine, spline = self.matcher(condition, target)
        image = batch["condition_image"]
        appearance = torch.cat([image, condition], 1)
        return {
            "generator": (appearance, torch.cat([target, pose], 1), affine, spline),
            "judged": torch.cat([appearance, target, pose], 1),
        }

    def one_hot(self, labels):
        one_hot = functional.one_hot(labels.long(), LABELS).permute(0, 3, 1, 2).float()
        return one_hot.contiguous(memory_format=self.memory_format)

    def pose_map(self, keypoints, visible):
        y, x = keypoints[:, :, None, None, 0], keypoints[:, :, None, None, 1]
        rows, columns = torch.arange(self.size[0]).view(-1, 1).to(x), torch.arange(self.size[1]).to(x)
        discs = ((rows - y) ** 2 + (columns - x) ** 2 <= 16).float()
        return (discs * visible[:, :, None, None]).contiguous(memory_format=self.memory_format)

    def _losses(self, judged, real, fake):
        real_score, real_features = self.discriminator(torch.cat([judged, real], 1))
        fake_score, fake_features = self.discriminator(torch.cat([judged, fake], 1))
        adversarial = ((fake_score - 1) ** 2).mean()
        of_discriminator = 0.5 * (((real_score - 1) ** 2).mean() + (fake_score**2).mean())
        pyramid = sum((a.detach() - b).abs().mean() for a, b in zip(real_features, fake_features))
        pixel = (real - fake).abs().mean()
        with torch.no_grad():
            wanted = self.vgg(real)
        perceptual = 0.0
        for weight, a, b in zip(VGG_WEIGHTS, wanted, self.vgg(fake)):
            relative = (a - b).abs().mean((1, 2, 3)) / (a.abs().mean((1, 2, 3)) + 1e-3)
            perceptual = perceptual + weight * relative.mean()
        return adversarial + 10 * pixel + 10 * perceptual + 10 * pyramid, of_discriminator
