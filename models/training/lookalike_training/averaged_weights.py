"""An exponential moving average of weights: what a lower learning rate would have given, for free."""

from __future__ import annotations

import copy

import torch
from torch import nn


class AveragedWeights:
    def __init__(self, net: nn.Module, decay: float = 0.995):
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.steps += 1
        # A short memory at the start, or the initial weights would weigh for hundreds of steps.
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(self.net.parameters(), net.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay)
        for mine, theirs in zip(self.net.buffers(), net.buffers(), strict=True):
            mine.copy_(theirs)
