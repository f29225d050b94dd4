"""Made-up pairs of frames with a known target, from still pictures.

A scene has three layers: a background, the target (a region of a picture, cut out or with all that surrounds it), and
another cut-out that distracts from it or hides a part of it. The first frame shows the target as it is; in the second
it has moved, turned, bent and changed its size, the background has moved or is another one, and the light may differ.

Lengths in a scene are in sides of the exemplar's crop, with the middle of the target at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lookalike_training.augment import tone, warp
from lookalike_training.data.cache import CachedPictures
from lookalike_training.tracking.fully_convolutional import EXEMPLAR_SIDE, REGION_SIDE


@dataclass(frozen=True)
class SceneChances:
    """How scenes are made; shares are probabilities, the rest is in the units named."""

    smallest: float = 0.14  #: of a target: the root of its area, in heights of the picture
    largest: float = 0.42
    scale_step: float = 1.08  #: between the exemplar's three sizes
    scale_jitter: float = 0.025  #: logarithm, about one of the three
    shift: float = 0.55  #: of the target in the region, at most, either way
    degrees: float = 10.0  #: standard deviation of the turn
    bend: float = 0.08  #: of the surface, at most
    cut_out: float = 0.55  #: without what surrounds it
    same_background: float = 0.6
    distractor: float = 0.6
    hiding: float = 0.25  #: of the distractors, over a part of the target
    grey: float = 0.15


@dataclass
class ScenePairs:
    """``exemplars`` [3, n, 3, 128, 128]: the target smaller, as it is, larger. ``regions`` [n, 3, 256, 256]. Pixels in
    0..1. ``place`` [n, 2]: (x, y) of the target in the region; ``scale`` [n]: its size over that of the exemplar."""

    exemplars: Tensor
    regions: Tensor
    place: Tensor
    scale: Tensor


def context_side(width: Tensor, height: Tensor) -> Tensor:
    """The side of the square crop around a box (SiamFC, with half the box's mean side as context on each side)."""
    context = (width + height) / 2
    return torch.sqrt((width + context) * (height + context))


def _normal(n: int, deviation: float) -> Tensor:
    return torch.randn(n) * deviation


def _within(n: int, reach: float) -> Tensor:
    return (torch.rand(n, 2) * 2 - 1) * reach


def _axes(points: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """``points`` [n, h, w, 2] * ``factor`` [n] or [n, 2] + ``offset`` [n, 2]."""
    if factor.dim() == 1:
        factor = factor[:, None].expand(-1, 2)
    return points * factor[:, None, None] + offset[:, None, None]


class _Layer:
    """A picture a scene, and where the scene's origin lies in it."""

    def __init__(self, pixels: Tensor, aspect: Tensor, middle: Tensor, side: Tensor):
        """``middle`` [n, 2] in 0..1 of the picture, ``side`` [n]: heights of the picture in one unit of the scene."""
        self.pixels = pixels.float().div_(255)
        self.halved = F.avg_pool2d(self.pixels, 2)
        self.factor = torch.stack([2 * side / aspect, 2 * side], 1)
        self.offset = middle * 2 - 1
        self.side = side

    def show(self, points: Tensor, pixels_a_unit: float, padding: str) -> tuple[Tensor, Tensor]:
        """Pixels [n, 3, h, w] at ``points`` [n, h, w, 2], and the mask [n, 1, h, w] of what lies in the picture."""
        places = _axes(points, self.factor, self.offset)
        coarse = self.side * self.pixels.shape[-1] / pixels_a_unit > 1.5
        shown = torch.empty(len(points), 3, *points.shape[1:3])
        for chosen, source in ((~coarse, self.pixels), (coarse, self.halved)):
            if chosen.any():
                shown[chosen] = F.grid_sample(source[chosen], places[chosen], padding_mode=padding, align_corners=False)
        inside = (places.abs() <= 1).all(-1)[:, None].float()
        return shown, inside


class _Shape:
    """A superellipse with a soft edge: what a cut-out keeps."""

    def __init__(self, half: Tensor):
        """``half`` [n, 2]: half of the width and of the height."""
        n = len(half)
        self.half = half
        self.power = torch.exp(math.log(2) + torch.rand(n) * math.log(4))
        self.softness = 0.03 + 0.1 * torch.rand(n)

    def mask(self, points: Tensor) -> Tensor:
        power = self.power[:, None, None]
        part = points.abs() / self.half[:, None, None]
        radius = (part.clamp(min=1e-4) ** power[..., None]).sum(-1) ** (1 / power)
        return ((1 - radius) / self.softness[:, None, None] + 0.5).clamp(0, 1)[:, None]


def _turned(points: Tensor, degrees: Tensor, stretch: Tensor) -> Tensor:
    angle = torch.deg2rad(degrees)[:, None, None]
    x, y = points[..., 0], points[..., 1]
    turned = torch.stack([x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()], -1)
    return turned * torch.stack([stretch, 1 / stretch], 1)[:, None, None]


def _bent(points: Tensor, reach: float) -> Tensor:
    """A smooth random field added to ``points``: cloth, faces, people walking."""
    n, h, w, _ = points.shape
    amount = reach * torch.rand(n) ** 2
    field = torch.randn(n, 2, 5, 5) * amount.view(-1, 1, 1, 1)
    return points + F.interpolate(field, size=(h, w), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def _window(side: int, units: float) -> Tensor:
    """[side, side, 2]: pixel centres of a square crop of ``units`` around the origin."""
    return warp.grid(1, side)[0] * (units / 2)


def _blurred(pixels: Tensor, factor: Tensor) -> Tensor:
    """Each of ``pixels`` [n, 3, h, w] as if it had been enlarged from ``factor`` [n] times fewer pixels a side."""
    out = pixels
    h, w = pixels.shape[-2:]
    for level in (1.5, 2.2, 3.2):
        chosen = factor >= level
        if chosen.any():
            small = F.interpolate(pixels[chosen], size=(round(h / level), round(w / level)), mode="area")
            out = out.clone() if out is pixels else out
            out[chosen] = F.interpolate(small, size=(h, w), mode="bilinear", align_corners=False)
    return out


def _photographed(pixels: Tensor, strength: float, grey: Tensor, blur: Tensor) -> Tensor:
    seen = tone.change_tone(pixels, strength, 0.0)
    seen = torch.where(grey.view(-1, 1, 1, 1), tone.grey(seen), seen)
    seen = _blurred(seen, blur)
    noise = torch.rand(len(pixels), 1, 1, 1) ** 3 * 0.05
    return (seen + torch.randn_like(seen) * noise).clamp_(0, 1)


def draw_scenes(pictures: CachedPictures, chosen: Tensor, chances: SceneChances = SceneChances()) -> ScenePairs:
    """A pair of frames for each of the ``chosen`` pictures [n]."""
    n = len(chosen)
    pixels, aspect = pictures.take(chosen)

    def others() -> tuple[Tensor, Tensor]:
        return pictures.take(torch.randint(len(pictures), (n,)))

    # The target's box, in heights of its picture.
    size = torch.exp(
        math.log(chances.smallest) + torch.rand(n) * math.log(chances.largest / chances.smallest)
    ) * aspect.clamp(max=1)
    stretch = torch.exp((torch.rand(n) * 2 - 1) * 0.45)
    box = torch.stack([size * stretch, size / stretch], 1)
    room = (torch.stack([aspect, torch.ones(n)], 1) - box).clamp(min=0)
    # What a photograph shows is more often in its middle.
    where = (0.5 + torch.randn(n, 2) * 0.22).clamp(0, 1)
    middle = (room * where + box / 2) / torch.stack([aspect, torch.ones(n)], 1)
    side = context_side(box[:, 0], box[:, 1])
    target = _Layer(pixels, aspect, middle, side)
    shape = _Shape(box / side[:, None] / 2)
    cut_out = tone.chance(n, chances.cut_out).view(-1, 1, 1, 1)

    def background(pixels: Tensor, aspect: Tensor) -> _Layer:
        return _Layer(pixels, aspect, torch.rand(n, 2), 0.2 + 0.3 * torch.rand(n))

    ground_pixels, ground_aspect = others()
    ground = background(ground_pixels, ground_aspect)
    other_pixels, other_aspect = others()
    same = tone.chance(n, chances.same_background)
    keep = same.view(-1, 1, 1, 1)
    later_ground = background(
        torch.where(keep, ground_pixels, other_pixels), torch.where(same, ground_aspect, other_aspect)
    )
    later_ground.factor = torch.where(same[:, None], ground.factor, later_ground.factor)
    later_ground.side = torch.where(same, ground.side, later_ground.side)
    later_ground.offset = torch.where(same[:, None], ground.offset + _within(n, 0.35), later_ground.offset)

    def frame(world: Tensor, on_target: Tensor, ground: _Layer, pixels_a_unit: float) -> Tensor:
        behind, _ = ground.show(world, pixels_a_unit, "reflection")
        shown, inside = target.show(on_target, pixels_a_unit, "border")
        alpha = torch.where(cut_out, shape.mask(on_target) * inside, inside)
        return behind * (1 - alpha) + shown * alpha

    # First frame: three crops of it side by side, so that one pass makes all three.
    steps = [chances.scale_step**k for k in (-1, 0, 1)]
    crops = torch.cat([_window(EXEMPLAR_SIDE, 1 / s) for s in steps], 1).expand(n, -1, -1, -1)
    first = frame(crops, crops, ground, EXEMPLAR_SIDE)

    # Second frame.
    index = torch.randint(3, (n,))
    scale = torch.tensor(steps)[index] * torch.exp(_normal(n, chances.scale_jitter))
    place = _within(n, chances.shift)
    world = _window(REGION_SIDE, 2.0).expand(n, -1, -1, -1)
    on_target = _axes(world, 1 / scale, -place / scale[:, None])
    on_target = _turned(on_target, _normal(n, chances.degrees), torch.exp(_normal(n, 0.05)))
    on_target = _bent(on_target, chances.bend)
    second = frame(world, on_target, later_ground, EXEMPLAR_SIDE)
    second = _distracted(second, others(), world, place, box / side[:, None], chances)

    # Light and lens: some of it is the film's, some of it the frame's.
    grey = tone.chance(n, chances.grey)
    soft = torch.exp(torch.rand(n) ** 2 * math.log(3.3))
    softer = soft * torch.where(tone.chance(n, 0.3), torch.exp(torch.rand(n) * 0.9), torch.ones(n))
    first = _photographed(first, 0.12, grey, soft)
    second = _photographed(second, 0.28, grey, softer)
    return ScenePairs(torch.stack(first.split(EXEMPLAR_SIDE, 3)), second, place, scale)


def _distracted(
    frame: Tensor, other: tuple[Tensor, Tensor], world: Tensor, place: Tensor, box: Tensor, chances: SceneChances
) -> Tensor:
    """Another cut-out somewhere beside the target, or over its edge."""
    n = len(frame)
    pixels, aspect = other
    hiding = tone.chance(n, chances.hiding)
    direction = torch.rand(n) * 2 * math.pi
    # Over the edge: its middle is about where the target ends.
    reach = torch.where(hiding, 0.3 + 0.1 * torch.rand(n), 0.6 + 0.5 * torch.rand(n))
    centre = place + reach[:, None] * torch.stack([direction.cos(), direction.sin()], 1)
    half = box.mean(1, keepdim=True) / 2 * torch.exp((torch.rand(n, 2) - 0.5) * 1.0)
    layer = _Layer(pixels, aspect, 0.3 + 0.4 * torch.rand(n, 2), 0.3 + 0.5 * torch.rand(n))
    points = _axes(world, torch.ones(n), -centre)
    shown, inside = layer.show(points, EXEMPLAR_SIDE, "border")
    alpha = _Shape(half).mask(points) * inside * tone.chance(n, chances.distractor).view(-1, 1, 1, 1)
    return frame * (1 - alpha) + shown * alpha
