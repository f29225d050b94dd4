import numpy as np
import pytest
import torch

from lookalike_training.calibration import thresholds, unrelated_similarities
from lookalike_training.retrieval_figures import micro_average_precision, recall_at_one, recall_at_precision
from lookalike_training.verification.figures import equal_error_rate
from lookalike_training.whitening import fit_pair_whitening, fit_whitening


def test_micro_average_precision_by_hand():
    similarity = np.array([[0.9, 0.1], [0.8, 0.7]])
    # Pooled: 0.9 right, 0.8 wrong, 0.7 right -> (1/1 + 2/3) / 2
    assert micro_average_precision(similarity, np.array([0, 1])) == pytest.approx((1 + 2 / 3) / 2)
    assert recall_at_one(similarity, np.array([0, 1])) == 0.5
    assert recall_at_precision(similarity, np.array([0, 1]), 0.999) == 0.5


def test_ties_count_against_the_model():
    constant = np.ones((2, 4))
    assert recall_at_one(constant, np.array([0, 1])) == 0
    assert micro_average_precision(constant, np.array([0, 1])) < 0.3


def test_thresholds_keep_their_false_positive_rate():
    rng = np.random.default_rng(0)
    negatives, positives = rng.beta(2, 8, 200_000), rng.beta(8, 2, 5000)
    found = thresholds(negatives, positives, "test")
    assert [t["falsePositiveRate"] for t in found] == [1e-2, 1e-3, 1e-4]
    for t in found:
        assert (negatives >= t["similarity"]).mean() <= t["falsePositiveRate"]
        assert (negatives >= t["similarity"] - 0.01).mean() >= t["falsePositiveRate"] * 0.8
        assert t["recall"] == pytest.approx((positives >= t["similarity"]).mean(), abs=1e-4)


def test_rates_that_the_pairs_cannot_support_are_left_out():
    assert thresholds(np.linspace(0, 1, 500), np.ones(3), "test") == []


def test_known_copies_are_no_negatives():
    e = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    assert sorted(unrelated_similarities(e, [(0, 1)])) == [0, 0]


def test_whitening_evens_out_and_reduces():
    x = torch.randn(4000, 6) * torch.tensor([5.0, 3, 1, 1, 0.5, 0.1]) + 2
    weight, bias = fit_whitening(x, 3, shrinkage=0)
    y = x @ weight.T + bias
    assert y.mean(0).abs().max() < 0.05
    spread = y.std(0)
    assert spread.max() / spread.min() < 1.05


def test_pair_whitening_ignores_what_copying_disturbs():
    signal, noise = torch.randn(3000, 2), torch.randn(2, 3000, 2) * 4
    originals = torch.cat([signal, noise[0]], 1)
    copies = torch.cat([signal + 0.1 * torch.randn(3000, 2), noise[1]], 1)
    weight, bias = fit_pair_whitening(originals, copies, 2)
    a, b = originals @ weight.T + bias, copies @ weight.T + bias
    plain = torch.cosine_similarity(originals, copies).mean()
    assert torch.cosine_similarity(a, b).mean() > plain + 0.5


def test_equal_error_rate():
    assert equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == 0
    assert equal_error_rate(np.array([0.1, 0.9]), np.array([0.2, 0.8])) == pytest.approx(0.5)
