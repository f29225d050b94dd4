"""Puts it together: a batch of pictures in, one random copy of each out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment import damage, frames, stickers, tone, warp
from lookalike_training.augment.tone import chance


@dataclass(frozen=True)
class CopyRecipe:
    """Chances (0..1) and strengths of what happens to a picture on its way to becoming a copy."""

    crop: float = 0.5
    smallest_crop: float = 0.3
    stretch: float = 1.3
    mirror: float = 0.3
    upside_down: float = 0.1
    quarter_turn: float = 0.12
    turn: float = 0.22
    perspective: float = 0.12
    border: float = 0.1
    frame: float = 0.16
    collage: float = 0.2
    sticker: float = 0.3
    tone: float = 0.6
    tone_strength: float = 0.5
    grey: float = 0.25
    gamma: float = 0.1
    blur: float = 0.25
    noise: float = 0.08
    shrink: float = 0.12
    recompress: float = 0.3

    def scaled(self, share: float) -> CopyRecipe:
        """The same with every chance multiplied, for an easier start."""
        chances = {
            k: v * share for k, v in self.__dict__.items() if k not in ("smallest_crop", "stretch", "tone_strength")
        }
        return replace(self, **chances)


#: The picture itself as it may have been saved: what a stored original looks like.
NEARLY_ORIGINAL = CopyRecipe(
    crop=0.1, smallest_crop=0.85, stretch=1.05, mirror=0, upside_down=0, quarter_turn=0, turn=0, perspective=0,
    border=0, frame=0, collage=0, sticker=0, tone=0.2, tone_strength=0.15, grey=0.02, gamma=0, blur=0.05, noise=0,
    shrink=0.05, recompress=0.05,
)  # fmt: skip
COPIES = CopyRecipe()


def _uniform(n: int, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(n)


class CopyMaker:
    """Draws its randomness from torch's and Python's global generators: seed both."""

    def __init__(self, recipe: CopyRecipe = COPIES):
        self.recipe = recipe
        self.stickers = stickers.draw_stock()
        self.frames, self.rectangles = frames.draw_stock()

    def __call__(self, pictures: Tensor, aspect: Tensor, side: int, others: Tensor | None = None) -> Tensor:
        """``pictures`` [n, 3, S, S] uint8, ``aspect`` [n] width / height -> [n, 3, side, side] floats in 0..1.

        ``others`` [m, 3, S, S] fill the other tiles of collages.
        """
        return self.copies_and_tiles(pictures, aspect, side, others)[0]

    def copies_and_tiles(
        self, pictures: Tensor, aspect: Tensor, side: int, others: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The copies, and [n, 3] which of ``others`` each shows too, -1 for none: a collage is a copy of all its
        tiles, and a loss that takes it for a negative of most teaches nonsense."""
        others = pictures if others is None else others
        r, n = self.recipe, len(pictures)
        inner, aspect = self._inside(n, aspect)
        outer, canvas, tiles = self._outside(len(pictures), others, aspect, side)
        x, mask = warp.sample(pictures, inner, outer, side)
        x = x * mask + canvas * (1 - mask)
        for _ in range(2):
            self._some(x, r.sticker, lambda part: stickers.paste(part, self.stickers))
        self._some(x, r.tone, lambda part: tone.change_tone(part, r.tone_strength, r.grey))
        self._some(x, r.gamma, tone.change_gamma)
        # One strength for all blurred pictures of a batch: it differs from batch to batch.
        sigma = float(_uniform(1, 0.4, 0.025 * side))
        self._some(x, r.blur, lambda part: damage.blur(part, sigma))
        self._some(x, r.noise, lambda part: damage.noise(part, float(_uniform(1, 0.02, 0.12))))
        self._some(x, r.shrink, lambda part: damage.small_and_back(part, float(_uniform(1, 0.2, 0.7))))
        self._some(x, r.recompress, damage.recompress)
        return x.clamp_(0, 1), tiles

    @staticmethod
    def _some(x: Tensor, p: float, change) -> None:
        """Change a random share of the batch in place; the others cost nothing."""
        chosen = chance(len(x), p).nonzero().squeeze(1)
        if len(chosen):
            x[chosen] = change(x[chosen])

    def _inside(self, n: int, aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Crop and mirror: the map from the copy's picture to the source, and the aspect afterwards."""
        r = self.recipe
        area = torch.where(chance(n, r.crop), _uniform(n, r.smallest_crop, 1), torch.ones(n))
        stretch = torch.exp((torch.rand(n) * 2 - 1) * torch.log(torch.tensor(r.stretch)))
        stretch = torch.where(area < 1, stretch, torch.ones(n))
        cut = warp.window(area, stretch, torch.rand(n, 2))
        turned = warp.flips(chance(n, r.mirror), chance(n, r.upside_down))
        return cut @ turned, aspect * cut[:, 0, 0] / cut[:, 1, 1]

    def _outside(self, n: int, others: Tensor, aspect: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """Turn, perspective, and what surrounds the picture: the map from the canvas, the canvas itself, its tiles."""
        r = self.recipe
        small = chance(n, 0.5)
        degrees = torch.where(small, _uniform(n, -12, 12), _uniform(n, -45, 45))
        degrees = torch.where(chance(n, r.turn), degrees, torch.zeros(n))
        quarters = torch.where(chance(n, r.quarter_turn), torch.randint(1, 4, (n,)) * 90.0, torch.zeros(n))
        outer = warp.rotation(degrees + quarters, aspect, chance(n, 0.7) | (quarters > 0))
        pulls = torch.rand(n, 4, 2) * 0.25 * chance(n, r.perspective).view(n, 1, 1)
        outer = outer @ warp.perspective(pulls)

        plain = torch.where(chance(n, 0.6).view(n, 1), torch.randint(0, 2, (n, 1)).float(), torch.rand(n, 3))
        canvas = plain.view(n, 3, 1, 1).expand(n, 3, side, side).clone()
        rectangle = torch.tensor([0.0, 0.0, 1.0, 1.0]).repeat(n, 1)
        tiles = torch.full((n, 3), -1)
        lot = torch.rand(n)
        bordered = lot < r.border
        framed = (lot >= r.border) & (lot < r.border + r.frame)
        collaged = (lot >= r.border + r.frame) & (lot < r.border + r.frame + r.collage)
        if bordered.any():
            k = int(bordered.sum())
            even = chance(k, 0.7).view(k, 1)
            margins = torch.where(even, _uniform(k, 0.02, 0.25).view(k, 1), torch.rand(k, 4) * 0.3)
            rectangle[bordered] = torch.cat([margins[:, :2], 1 - margins[:, 2:]], 1)
        if framed.any():
            which = torch.randint(len(self.frames), (int(framed.sum()),))
            canvas[framed] = F.interpolate(self.frames[which], size=side, mode="bilinear", antialias=True)
            rectangle[framed] = self.rectangles[which]
        if collaged.any():
            canvas[collaged], rectangle[collaged], tiles[collaged] = self._collages(others, int(collaged.sum()), side)
        return outer @ warp.into_rectangle(rectangle), canvas, tiles

    @staticmethod
    def _fit(picture: Tensor, height: int, width: int) -> Tensor:
        return F.interpolate(picture, size=(height, width), mode="bilinear", antialias=True)[0]

    def _collages(self, others: Tensor, count: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """``count`` sheets of other pictures, the free tile of each, and which others [count, 3] fill the rest.

        Layouts: two beside each other, two above each other, two by two.
        """
        halves = [(0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)]
        stacked = [(0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 1.0)]
        quarters = [(x, y, x + 0.5, y + 0.5) for y in (0.0, 0.5) for x in (0.0, 0.5)]
        layouts = [halves, stacked, quarters]
        sheets, free, filled = [], [], torch.full((count, 3), -1)
        for row in range(count):
            layout = layouts[int(torch.multinomial(torch.tensor([0.4, 0.2, 0.4]), 1))]
            own = int(torch.randint(len(layout), (1,)))
            chosen = torch.randint(len(others), (len(layout) - 1,))
            filled[row, : len(chosen)] = chosen
            sheet = torch.zeros(3, side, side)
            rest = [tile for i, tile in enumerate(layout) if i != own]
            for tile, other in zip(rest, others[chosen], strict=True):
                x0, y0, x1, y1 = (round(v * side) for v in tile)
                part = other[None].float().div(255)
                sheet[:, y0:y1, x0:x1] = self._fit(part, y1 - y0, x1 - x0)
            sheets.append(sheet)
            gap = float(torch.rand(1)) * 0.015
            x0, y0, x1, y1 = layout[own]
            free.append((x0 + gap * (x0 > 0), y0 + gap * (y0 > 0), x1 - gap * (x1 < 1), y1 - gap * (y1 < 1)))
        return torch.stack(sheets), torch.tensor(free), filled
