import json

import numpy as np
import pytest
import torch
from PIL import Image

from lookalike_training.data.cache import cached_pictures
from lookalike_training.data.pictures import list_pictures
from lookalike_training.export import open_session
from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.tracking.fully_convolutional import (
    CHANNELS,
    RESPONSE_CELLS,
    TEMPLATE_CELLS,
    SearchBranch,
    TrackingEncoder,
    correlate,
)
from lookalike_training.tracking.model_folder import write_model_folder
from lookalike_training.tracking.neck_training import NeckPlan, train_neck
from lookalike_training.tracking.response_loss import pair_responses, response_loss, wanted_response
from lookalike_training.tracking.scenes import SceneChances, draw_scenes
from lookalike_training.tracking.training import TrackingPlan, measure_pairs, responses, train_tracking, untrained

EASY = SceneChances(scale_jitter=0, degrees=0, bend=0, cut_out=0, distractor=0, grey=0, shift=0.4)


@pytest.fixture
def pictures(tmp_path):
    """12 pictures with structure at several scales."""
    rng = np.random.default_rng(3)
    for i in range(12):
        noise = [Image.fromarray(rng.integers(0, 255, (s, s, 3), np.uint8)) for s in (6, 24)]
        layers = [np.asarray(one.resize((96, 96))) for one in noise]
        Image.fromarray(((layers[0].astype(int) + layers[1]) // 2).astype(np.uint8)).save(tmp_path / f"{i:02d}.png")
    return cached_pictures(list_pictures(tmp_path), 96, tmp_path / "cache")


def test_correlation_is_the_cosine_of_template_and_window():
    features = torch.randn(1, CHANNELS, 12, 14)
    templates = torch.nn.functional.normalize(torch.randn(2, CHANNELS * TEMPLATE_CELLS**2), dim=1)
    response = correlate(features, templates)
    assert response.shape == (1, 2, 5, 7)
    window = features[0, :, 3:11, 2:10].flatten()
    expected = torch.nn.functional.cosine_similarity(window, templates[1], dim=0)
    torch.testing.assert_close(response[0, 1, 3, 2], expected, rtol=1e-4, atol=1e-5)


def test_own_and_foreign_responses_are_those_of_the_search_branch():
    features = torch.randn(3, CHANNELS, 10, 10)
    templates = torch.nn.functional.normalize(torch.randn(3, 3, CHANNELS * TEMPLATE_CELLS**2), dim=2)
    own, foreign = pair_responses(features, templates)
    torch.testing.assert_close(own[1], correlate(features[1:2], templates[:, 1])[0], rtol=1e-4, atol=1e-5)
    # Template 0 in the regions 2 and 1, which come before it in the circle.
    for r, region in enumerate((2, 1)):
        expected = correlate(features[region : region + 1], templates[1, :1])[0, 0]
        torch.testing.assert_close(foreign[0, r], expected, rtol=1e-4, atol=1e-5)


def test_a_scene_shows_its_target_where_it_says(pictures):
    net = untrained(pictures)
    pairs = draw_scenes(pictures, torch.arange(12), EASY)
    assert pairs.exemplars.shape == (3, 12, 3, 128, 128) and pairs.regions.shape == (12, 3, 256, 256)
    with torch.no_grad():
        own, _ = responses(net.eval(), pairs)
    best = own.flatten(1).argmax(1) % RESPONSE_CELLS**2
    peak = torch.stack([best % RESPONSE_CELLS, best // RESPONSE_CELLS], 1) - (RESPONSE_CELLS - 1) / 2
    near = ((peak - pairs.place * 16).norm(dim=1) <= 1.5).float().mean()
    assert near > 0.8


def test_wanted_response_peaks_at_the_place_and_the_size():
    wanted = wanted_response(torch.tensor([[0.25, -0.5]]), torch.tensor([1.08]), 1.08)
    assert wanted.sum() == pytest.approx(1)
    size, row, column = np.unravel_index(int(wanted.argmax()), wanted.shape[1:])
    assert (size, row, column) == (2, 12 - 8, 12 + 4)


def test_loss_is_low_where_the_response_is_right_and_high_where_it_is_not():
    wanted = wanted_response(torch.zeros(2, 2), torch.ones(2), 1.08)
    foreign = torch.zeros(2, 1, RESPONSE_CELLS, RESPONSE_CELLS)
    right = (wanted / wanted.amax(dim=(1, 2, 3), keepdim=True)).clone()
    gain = torch.tensor(20.0)
    assert response_loss(right, foreign, wanted, gain) < response_loss(right.roll(5, 2), foreign, wanted, gain)
    assert response_loss(right, foreign, wanted, gain) < response_loss(right, foreign + 1, wanted, gain)


def test_neck_and_network_learn_and_a_killed_run_goes_on(pictures, tmp_path):
    net = untrained(pictures)
    losses = [v for _, v in train_neck(net, pictures, NeckPlan(scenes=16, steps=12, batch=8, warmup=2))]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert 0 <= measure_pairs(net, pictures, 16).found <= 1

    plan = TrackingPlan(steps=2, batch=2, warmup=1, learning_rate=1e-4)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    whole, history = train_tracking(net, pictures, plan, tmp_path / "a", checkpoint_every=1)
    assert [s for s, _ in history] == [1, 2]
    assert not torch.equal(whole.blocks[4].layers[0].weight, before["blocks.4.layers.0.weight"])
    assert torch.equal(whole.stem[0].weight, before["stem.0.weight"])
    fresh = untrained(pictures)
    again, history_again = train_tracking(fresh, pictures, plan, tmp_path / "a")
    assert history_again == history
    torch.testing.assert_close(again.neck.weight, whole.neck.weight)
    with pytest.raises(ValueError, match="another plan"):
        train_tracking(fresh, pictures, TrackingPlan(steps=3), tmp_path / "a")


def test_both_graphs_of_a_model_folder_agree_with_the_network(pictures, tmp_path):
    torch.manual_seed(2)
    net = TrackingEncoder(fold_norms(EfficientNetLite0()))
    source = {"name": "made up", "license": "none", "use": "test"}
    write_model_folder(net, pictures, tmp_path / "tracker", [source], "test", 1, {})
    described = json.loads((tmp_path / "tracker" / "model.json").read_text())
    assert described["output"]["dimension"] == net.dimension == 4096
    assert described["tracking"]["search"]["bytes"] == (tmp_path / "tracker" / "search.onnx").stat().st_size
    assert [t["falsePositiveRate"] for t in described["thresholds"]] == [0.1, 0.01]
    exemplars, region = torch.randn(2, 3, 128, 128), torch.randn(1, 3, 320, 192)
    templates = open_session(tmp_path / "tracker" / "model.onnx").run(None, {"pixels": exemplars.numpy()})[0]
    search = open_session(tmp_path / "tracker" / "search.onnx")
    response = search.run(None, {"pixels": region.numpy(), "templates": templates})[0]
    with torch.no_grad():
        np.testing.assert_allclose(templates, net.encode(exemplars).numpy(), atol=1e-4)
        expected = SearchBranch(net)(region, torch.from_numpy(templates)).numpy()
    assert response.shape == (1, 2, 33, 17)
    np.testing.assert_allclose(response, expected, atol=1e-4)
