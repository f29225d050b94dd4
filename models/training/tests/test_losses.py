"""What matters of a loss is where its gradient pushes, so that is what is tested: a formula copied with its labels
swapped has the right numbers and the wrong signs."""

import math

import pytest
import torch
from torch.nn import functional as F

from lookalike_training.distances import DISTANCES, WeightedL1Head, euclidean
from lookalike_training.losses.by_name import LOSSES
from lookalike_training.losses.contrastive import contrastive_loss, hard_contrastive_loss_of_batch
from lookalike_training.losses.info_nce import info_nce_loss
from lookalike_training.losses.koleo import koleo_loss
from lookalike_training.losses.margin_softmax import MarginSoftmax
from lookalike_training.losses.triplet import batch_hard_triplet_loss, semi_hard_triplet_loss


def step_against_gradient(loss_of, points, rate=0.01):
    points = points.clone().requires_grad_(True)
    loss_of(points).backward()
    return (points - rate * points.grad).detach()


@pytest.mark.parametrize("similar", [True, False])
def test_contrastive_pulls_similar_pairs_together_and_pushes_dissimilar_ones_apart(similar):
    pair = torch.tensor([[0.0, 0.0], [0.5, 0.0]])
    label = torch.tensor([similar])
    moved = step_against_gradient(lambda p: contrastive_loss(p[:1], p[1:], label), pair)
    before, after = euclidean(pair[0], pair[1]), euclidean(moved[0], moved[1])
    assert (after < before) if similar else (after > before)


def test_contrastive_leaves_dissimilar_pairs_beyond_the_margin_alone():
    a, b = torch.tensor([[0.0, 0.0]], requires_grad=True), torch.tensor([[1.5, 0.0]])
    loss = contrastive_loss(a, b, torch.tensor([False]), margin=1.0)
    loss.backward()
    assert loss.item() == 0 and a.grad.abs().sum() == 0


def test_contrastive_values_are_those_of_the_paper():
    a, b = torch.zeros(1, 2), torch.tensor([[0.6, 0.0]])
    assert contrastive_loss(a, b, torch.tensor([True])).item() == pytest.approx(0.6**2 / 2)
    assert contrastive_loss(a, b, torch.tensor([False]), margin=1.0).item() == pytest.approx(0.4**2 / 2)


def test_hard_contrastive_counts_the_farthest_copy_and_the_nearest_stranger_of_each():
    # 0 and 0.3 are copies, and so are 0.5 and 2: strangers at 0.5 of the first, at 0.2 of the second and the third.
    points = torch.tensor([[0.0], [0.3], [0.5], [2.0]])
    together = (0.3**2 + 0.3**2 + 1.5**2 + 1.5**2) / 4 / 2
    apart = ((1 - 0.5) ** 2 + (1 - 0.2) ** 2 + (1 - 0.2) ** 2 + 0) / 4 / 2
    loss = hard_contrastive_loss_of_batch(points, torch.tensor([0, 0, 1, 1]), margin=1.0)
    assert loss.item() == pytest.approx(together + apart, abs=1e-5)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_batch_loss_brings_copies_nearer_than_strangers(name):
    labels = torch.arange(6).repeat(2)
    points = torch.randn(12, 8)

    def gap(raw):
        e = F.normalize(raw, dim=1)
        s = e @ e.T
        same = labels[:, None] == labels[None]
        own = s[same & ~torch.eye(12, dtype=torch.bool)].mean()
        return (own - s[~same].mean()).item()

    moved = points
    for _ in range(60):
        moved = step_against_gradient(lambda p: LOSSES[name](F.normalize(p, dim=1), labels), moved, 0.3)
    assert gap(moved) > gap(points) + 0.05


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_solved_batch_costs_less_than_a_random_one(name):
    labels = torch.arange(4).repeat(2)
    solved = torch.eye(4, 8).repeat(2, 1)
    random = F.normalize(torch.randn(8, 8), dim=1)
    assert LOSSES[name](solved, labels) < LOSSES[name](random, labels)


def on_a_line(*places):
    return torch.tensor([[p, 0.0] for p in places])


def test_semi_hard_takes_the_nearest_negative_beyond_the_positive():
    # anchor 0, positive 1 (both label 0); negatives at 0.5 (too hard), 1.1 (semi-hard), 5
    points, labels = on_a_line(0.0, 1.0, 0.5, 1.1, 5.0), torch.tensor([0, 0, 1, 2, 3])
    # 0 -> 1: 1 - 1.21 + 0.3 = 0.09;  1 -> 0: nearest beyond 1 is 5: 1 - 16 + 0.3 < 0
    assert semi_hard_triplet_loss(points, labels, 0.3).item() == pytest.approx(0.09 / 2, abs=1e-5)


def test_semi_hard_falls_back_to_the_farthest_negative():
    points, labels = on_a_line(0.0, 1.0, 0.2, 0.3), torch.tensor([0, 0, 1, 2])
    # 0 -> 1: farthest negative 0.3: 1 - 0.09 + 0.2;  1 -> 0: farthest negative 0.2: 1 - 0.64 + 0.2
    assert semi_hard_triplet_loss(points, labels, 0.2).item() == pytest.approx((1.11 + 0.56) / 2, abs=1e-5)


def test_batch_hard_takes_the_worst_of_both_sides():
    points, labels = on_a_line(0.0, 1.0, 0.4, 3.0), torch.tensor([0, 0, 1, 1])
    # anchors: 0: 1 - 0.16; 1: 1 - 0.36; 0.4: 6.76 - 0.16; 3: 6.76 - 4
    expected = sum(max(0, v + 0.2) for v in (0.84, 0.64, 6.60, 2.76)) / 4
    assert batch_hard_triplet_loss(points, labels, 0.2).item() == pytest.approx(expected, abs=1e-4)


def test_info_nce_is_cross_entropy_for_one_pair_each():
    e = F.normalize(torch.randn(6, 4), dim=1)
    labels = torch.arange(3).repeat(2)
    logits = (e @ e.T / 0.1).masked_fill(torch.eye(6, dtype=torch.bool), -math.inf)
    expected = F.cross_entropy(logits, torch.tensor([3, 4, 5, 0, 1, 2]))
    torch.testing.assert_close(info_nce_loss(e, labels, 0.1), expected)


def test_info_nce_memory_repels_and_its_own_label_does_not_count():
    e = F.normalize(torch.randn(4, 4), dim=1)
    labels = torch.tensor([0, 1, 0, 1])
    plain = info_nce_loss(e, labels)
    assert info_nce_loss(e, labels, memory=e[:1], memory_labels=torch.tensor([9])) > plain
    both = torch.tensor([0])
    alone = info_nce_loss(e[[0, 2]], labels[[0, 2]], memory=e[:1], memory_labels=both)
    assert alone.item() == pytest.approx(0, abs=1e-6)


def test_koleo_spreads_but_leaves_copies_together():
    points = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.9, 0.3]])
    strangers = step_against_gradient(lambda p: koleo_loss(p, torch.tensor([0, 1, 2])), points, 1e-5)
    assert euclidean(strangers[0], strangers[1]) > euclidean(points[0], points[1])
    copies = step_against_gradient(lambda p: koleo_loss(p, torch.tensor([0, 0, 1])), points, 1e-5)
    # Only the stranger repels them; the distance between the copies changes by next to nothing.
    assert euclidean(copies[0], copies[1]).item() == pytest.approx(0.01, abs=1e-4)


def test_margin_softmax_asks_for_more_than_softmax():
    head, e, y = MarginSoftmax(4, 3, margin=0.3), F.normalize(torch.randn(5, 4), dim=1), torch.tensor([0, 1, 2, 0, 1])
    strict = head(e, y)
    head.margin = 0.0
    assert strict > head(e, y)


def test_distances_of_equal_and_different_points():
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert DISTANCES["euclidean"](a, b).item() == pytest.approx(2**0.5)
    assert DISTANCES["cosine"](a, b).item() == pytest.approx(1)
    assert DISTANCES["absolute"](a, b).item() == pytest.approx(2)
    for distance in DISTANCES.values():
        assert distance(a, a).item() == pytest.approx(0, abs=1e-5)


def test_weighted_l1_head_learns_which_dimensions_matter():
    # Same iff the first of four dimensions agrees; the others are noise.
    a, b = torch.rand(256, 4), torch.rand(256, 4)
    same = torch.arange(256) % 2 == 0
    b[same, 0] = a[same, 0]
    b[~same, 0] = (a[~same, 0] + 0.5) % 1
    head = WeightedL1Head(4)
    assert (head.probability(a, a) > 0.5).all()
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(head(a, b), same.float()).backward()
        optimiser.step()
    assert ((head.probability(a, b) > 0.5) == same).float().mean() > 0.97
    weights = head.weights.weight.abs().squeeze()
    assert weights[0] > 3 * weights[1:].max()


def test_a_collage_is_no_negative_of_its_tiles():
    e = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2], [1.0, 0.1], [0.9, 0.3], [0.8, 0.4]]), dim=1)
    strangers = torch.tensor([[0, -1], [0, -1], [1, -1], [1, -1]])
    collage = torch.tensor([[0, -1], [0, 1], [1, -1], [1, -1]])
    torch.testing.assert_close(info_nce_loss(e, strangers), info_nce_loss(e, strangers[:, 0]))
    # Row 1 shows pictures 0 and 1: it repels neither, and neither does a remembered collage of both.
    assert info_nce_loss(e, collage) < info_nce_loss(e, strangers)
    remembered = {"memory": e[1:2], "memory_labels": torch.tensor([[7, 8]])}
    tiles = {"memory": e[1:2], "memory_labels": torch.tensor([[7, 0]])}
    assert info_nce_loss(e[:2], strangers[:2], **remembered) > info_nce_loss(e[:2], strangers[:2])
    torch.testing.assert_close(info_nce_loss(e[:2], strangers[:2], **tiles), info_nce_loss(e[:2], strangers[:2]))
    assert koleo_loss(e, collage) < koleo_loss(e, strangers)
