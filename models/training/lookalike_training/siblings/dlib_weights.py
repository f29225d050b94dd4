"""Weights out of a network that dlib saved, without dlib.

dlib writes a network layer by layer, from the input on: each layer's name, then its numbers. An integer is a byte,
whose low half is a length and whose highest bit is the sign, and that many bytes, least first; a tensor is five
integers (format 2, then samples, channels, rows, columns) and its float32 values. Names of layers that have weights:
``con_4`` (filters, then one bias each), ``affine_`` (one factor each, then one offset each) and ``fc_2`` (inputs x
outputs).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

_NAMED = re.compile(rb"[\x01][\x04-\x07](con_4|affine_|fc_2)")


@dataclass(frozen=True)
class SavedLayer:
    """``kind``: "con_4", "affine_" or "fc_2". ``values``: all weights, flat. ``shape``: (filters, rows, columns) of a
    convolution, (outputs, inputs) of a fully connected layer, else empty."""

    kind: str
    values: np.ndarray
    shape: tuple[int, ...]


class _Reader:
    def __init__(self, content: bytes, at: int):
        self.content, self.at = content, at

    def integer(self) -> int:
        head = self.content[self.at]
        end = self.at + 1 + (head & 15)
        value = int.from_bytes(self.content[self.at + 1 : end], "little")
        self.at = end
        return -value if head & 0x80 else value

    def tensor(self) -> np.ndarray:
        if (version := self.integer()) != 2:
            raise ValueError(f"a tensor of format {version}, expected 2")
        count = int(np.prod([self.integer() for _ in range(4)]))
        values = np.frombuffer(self.content, "<f4", count, self.at).copy()
        self.at += 4 * count
        return values


def read_layers(content: bytes) -> list[SavedLayer]:
    """Every layer that has weights, in the order in which data passes through them."""
    layers = []
    at = 0
    while found := _NAMED.search(content, at):
        kind = found[1].decode()
        read = _Reader(content, found.end())
        if kind == "fc_2":
            shape: tuple[int, ...] = (read.integer(), read.integer())
            layers.append(SavedLayer(kind, read.tensor(), shape))
        else:
            values = read.tensor()
            shape = tuple(read.integer() for _ in range(3)) if kind == "con_4" else ()
            layers.append(SavedLayer(kind, values, shape))
        # Past the weights, whose bytes could spell anything.
        at = read.at
    return layers
