import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from lookalike_training.augment import warp
from lookalike_training.augment.copy_maker import NEARLY_ORIGINAL, CopyMaker, CopyRecipe
from lookalike_training.copies.catalogue import EASY, HARD, make_copy


def tensor_of(picture, side=64):
    pixels = np.asarray(picture.resize((side, side)))
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


@pytest.mark.parametrize("name", [*EASY, *HARD])
def test_every_copy_differs_and_is_the_same_for_the_same_seed(name, picture):
    others = [picture.rotate(30), picture.rotate(60), picture.rotate(120), picture.rotate(150)]
    copy = make_copy(name, 3, picture, others, seed=1)
    again = make_copy(name, 3, picture, others, seed=1)
    assert copy.mode == "RGB" and min(copy.size) >= 8
    assert np.array_equal(np.asarray(copy), np.asarray(again))
    assert copy.size != picture.size or not np.array_equal(np.asarray(copy), np.asarray(picture))


def test_identity_warp_returns_the_picture(picture):
    x = tensor_of(picture)[None]
    out, mask = warp.sample(x, warp.identity(1), warp.identity(1), 64)
    torch.testing.assert_close(out, x.float() / 255, atol=1e-4, rtol=0)
    assert mask.min() == 1


def test_quarter_turn_equals_rot90(picture):
    x = tensor_of(picture)[None]
    outer = warp.rotation(torch.tensor([90.0]), torch.tensor([1.5]), torch.tensor([True]))
    out, mask = warp.sample(x, warp.identity(1), outer, 64)
    turned = [torch.rot90(x.float() / 255, k, (2, 3)) for k in (1, 3)]
    assert min((out - t).abs().mean().item() for t in turned) < 1e-3
    assert mask.mean() > 0.99


def test_mirror_equals_flip(picture):
    x = tensor_of(picture)[None]
    inner = warp.flips(torch.tensor([True]), torch.tensor([False]))
    out, _ = warp.sample(x, inner, warp.identity(1), 64)
    torch.testing.assert_close(out, x.float().flip(3) / 255, atol=1e-3, rtol=0)


def test_perspective_maps_moved_corners_to_the_picture_corners():
    pulls = torch.rand(4, 4, 2) * 0.2
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    moved = (corners * (1 - 2 * pulls)).view(4, 2, 2, 2)
    back = warp.apply(warp.perspective(pulls), moved).view(4, 4, 2)
    torch.testing.assert_close(back, corners.expand(4, 4, 2), atol=1e-4, rtol=0)


def test_a_picture_placed_in_a_rectangle_fills_it_and_nothing_else(picture):
    x = tensor_of(picture)[None]
    outer = warp.into_rectangle(torch.tensor([[0.5, 0.0, 1.0, 0.5]]))
    _, mask = warp.sample(x, warp.identity(1), outer, 64)
    assert mask[0, 0, :32, 32:].min() == 1 and mask.sum() == 32 * 32


def test_training_copies_are_pictures_of_the_asked_size_and_repeat_with_the_seed(picture):
    x = torch.stack([tensor_of(picture.rotate(7 * i)) for i in range(12)])
    maker = CopyMaker(CopyRecipe(collage=0.4, frame=0.3, sticker=0.9, recompress=0.9))

    def make():
        torch.manual_seed(5)
        random.seed(5)
        return maker(x, torch.full((12,), 4 / 3), 48)

    first = make()
    assert first.shape == (12, 3, 48, 48)
    assert first.min() >= 0 and first.max() <= 1
    assert not torch.isnan(first).any()
    torch.testing.assert_close(first, make())


def test_a_nearly_original_copy_stays_near(picture):
    x = torch.stack([tensor_of(picture)] * 16)
    out = CopyMaker(NEARLY_ORIGINAL)(x, torch.full((16,), 4 / 3), 64)
    plain = x.float() / 255
    assert (out - plain).abs().mean((1, 2, 3)).median() < 0.05


def test_a_collage_says_which_other_pictures_it_shows():
    torch.manual_seed(3)
    random.seed(3)
    black = torch.zeros(16, 3, 48, 48, dtype=torch.uint8)
    others = (torch.arange(5) * 50 + 40).view(5, 1, 1, 1).expand(5, 3, 48, 48).to(torch.uint8)
    made, tiles = CopyMaker(replace(CopyRecipe().scaled(0), collage=1.0)).copies_and_tiles(
        black, torch.ones(16), 48, others
    )
    for one, shown in zip((made * 255).round(), tiles, strict=True):
        values = {int(v) for v in one.unique() if v > 0}
        expected = {int(others[i, 0, 0, 0]) for i in shown if i >= 0}
        assert expected and all(min(abs(v - e) for v in values) <= 1 for e in expected)
        assert all(v <= max(expected) + 1 for v in values)
