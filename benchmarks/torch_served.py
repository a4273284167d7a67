"""What `serving_default` of an export computes, in PyTorch, of the networks of torch_peer.py, and as an ONNX file."""

import torch
from torch import nn
from torch.nn import functional


class Served(nn.Module):
    """Image uint8 [B, H, W, 3], parsing uint8 [B, H, W], joints [B, 18, 2], visible bool [B, 18] -> uint8 image.

    Args:
        peer: `TorchPeer`.
    """

    def __init__(self, peer):
        super().__init__()
        self.parser, self.matcher, self.generator = peer.parser, peer.matcher, peer.generator
        self.one_hot, self.pose_map, self.memory_format = peer.one_hot, peer.pose_map, peer.memory_format
        self.requires_grad_(False)
        self.eval()

    def forward(self, image, parsing, keypoints, visible):
        image = image.permute(0, 3, 1, 2).float() / 127.5 - 1
        image = image.contiguous(memory_format=self.memory_format)
        condition, pose = self.one_hot(parsing), self.pose_map(keypoints, visible)
        logits = self.parser(torch.cat([condition, pose], 1))
        target = self.one_hot(binomial_filter(logits).argmax(1))
        affine, spline = self.matcher(condition, target)
        drawn = self.generator(torch.cat([image, condition], 1), torch.cat([target, pose], 1), affine, spline)
        return ((drawn + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def binomial_filter(scores):
    """Scores [B, C, H, W] smoothed by (1 2 1)/4 by rows and columns."""
    padded = functional.pad(scores, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4


def save_onnx(served, inputs, path):
    """Writes the model for inputs of this size, as ONNX."""
    torch.onnx.export(served, tuple(inputs), path, dynamo=True, external_data=True, verbose=False)
