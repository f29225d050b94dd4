"""What a training run on pictures starts from: cleaned list, initial sibling, table of look-alikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lookalike_training.data.cache import CachedPictures, cached_pictures
from lookalike_training.data.neighbour_batches import neighbour_table
from lookalike_training.data.perceptual_hash import near_pairs, perceptual_hash
from lookalike_training.picture_batches import embed
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.whitening import fit_whitening

#: Hash bits within which two files are taken for the same picture.
SAME_WITHIN_BITS = 4


@dataclass
class Prepared:
    net: PictureEncoder
    pictures: CachedPictures
    neighbours: np.ndarray


def without_copies(pictures: CachedPictures) -> CachedPictures:
    """Keep the first of every set of near-identical files: as negatives of each other they would teach nonsense."""
    hashes = np.stack([perceptual_hash(Image.fromarray(p.transpose(1, 2, 0))) for p in pictures.pixels])
    dropped = {j for _, j in near_pairs(hashes, SAME_WITHIN_BITS)}
    kept = [i for i in range(len(pictures)) if i not in dropped]
    return CachedPictures([pictures.files[i] for i in kept], pictures.pixels[kept], pictures.aspect[kept])


def pooled_features(net: PictureEncoder, pictures: CachedPictures, side: int) -> torch.Tensor:
    """[n, 1280] of the cached pictures at ``side`` pixels."""

    def shrunk():
        for start in range(0, len(pictures), 64):
            block = torch.from_numpy(np.asarray(pictures.pixels[start : start + 64])).float()
            block = torch.nn.functional.interpolate(block, size=side, mode="bilinear", antialias=True)
            yield from block.permute(0, 2, 3, 1).numpy()

    return torch.from_numpy(embed(net.features, shrunk(), MEAN, STD))


def prepare(files: list[Path], dimension: int, side: int, neighbours: int = 12) -> Prepared:
    """The pretrained sibling with a whitening projection fitted on ``files``, and who looks like whom to it."""
    pictures = without_copies(cached_pictures(files))
    net = PictureEncoder(dimension, fold_norms(load_pretrained())).to(memory_format=torch.channels_last).eval()
    features = pooled_features(net, pictures, side)
    weight, bias = fit_whitening(features, min(dimension, len(pictures) - 1), shrinkage=0.5)
    with torch.no_grad():
        net.project.weight[: len(weight)] = weight
        net.project.bias[: len(bias)] = bias
        embeddings = torch.nn.functional.normalize(net.project(features), dim=1).numpy()
    return Prepared(net, pictures, neighbour_table(embeddings, min(neighbours, len(pictures) - 1)))
