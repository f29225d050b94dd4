import dlib
import numpy as np
import pytest
import torch
from torch import Tensor

from lookalike_training.augment.portrait import PortraitChances, move_portrait, vary_portrait
from lookalike_training.faces.framing import FramingPlan, errors, maps_of_views, train_head
from lookalike_training.faces.landmarks import teach_landmarks
from lookalike_training.siblings.dlib_weights import read_layers
from lookalike_training.siblings.efficientnet_lite import MEAN, STD, EfficientNetLite0, grey_stem, load_pretrained
from lookalike_training.siblings.face_resnet import (
    SIDE,
    WEIGHTS,
    WEIGHTS_SHA256,
    FaceResNet,
    load_face_resnet,
    package_file,
)
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.framed_face import (
    HEIGHT,
    LANDMARKS,
    WIDTH,
    FramedFace,
    Framing,
    wanted_places,
)


def grey_backbone() -> EfficientNetLite0:
    backbone = fold_norms(EfficientNetLite0())
    grey_stem(backbone)
    return backbone.eval()


def dotted(marks: Tensor, height: int, width: int, radius: float = 3) -> Tensor:
    """[n, 1, h, w]: a disc at each mark, the brighter the later in the list."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    out = torch.zeros(len(marks), 1, height, width)
    for i in range(marks.shape[1]):
        at = (marks[:, i] + 1) / 2 * torch.tensor([width, height])
        near = (x - at[:, 0].view(-1, 1, 1)) ** 2 + (y - at[:, 1].view(-1, 1, 1)) ** 2 < radius**2
        out[:, 0][near] = (i + 1) / 6
    return out


def value_at(x: Tensor, marks: Tensor) -> Tensor:
    """[n, 5]"""
    return torch.nn.functional.grid_sample(x, marks.unsqueeze(1), mode="nearest", align_corners=False)[:, 0, 0]


def test_the_recogniser_says_what_dlib_says(picture):
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE)))
    theirs = dlib.face_recognition_model_v1(str(package_file(WEIGHTS, WEIGHTS_SHA256))).compute_face_descriptor(
        np.stack([grey] * 3, 2)
    )
    with torch.no_grad():
        ours = load_face_resnet()((torch.from_numpy(grey.copy()).float()[None, None] / 255 - MEAN[0]) / STD[0])
    assert np.abs(ours[0].numpy() - np.array(theirs)).max() < 1e-5


def test_saved_layers_are_those_of_the_network():
    layers = read_layers(package_file(WEIGHTS, WEIGHTS_SHA256).read_bytes())
    assert [sum(layer.kind == kind for layer in layers) for kind in ("con_4", "affine_", "fc_2")] == [29, 29, 1]
    assert layers[0].shape == (32, 7, 7)
    with pytest.raises(ValueError, match="format 3, expected 2"):
        read_layers(b"\x01\x07affine_\x01\x03")


def test_weights_of_another_file_are_refused():
    with pytest.raises(ValueError, match="SHA-256 is"):
        package_file(WEIGHTS, "0" * 64)


def test_a_framed_face_has_its_marks_where_they_are_wanted():
    torch.manual_seed(1)
    net = FramedFace(Framing(grey_backbone()), FaceResNet())
    # The wanted places, turned by half a right angle, a third as large and moved.
    turn = torch.tensor([[0.7071, -0.7071], [0.7071, 0.7071]]) * 40
    marks = ((wanted_places() @ turn.T) + torch.tensor([10.0, -14.0])) / torch.tensor([WIDTH / 2, HEIGHT / 2])
    framed = net.framed(dotted(marks[None], HEIGHT, WIDTH), marks[None])
    assert framed.shape == (1, 1, SIDE, SIDE)
    assert value_at(framed, wanted_places()[None])[0].tolist() == pytest.approx([i / 6 for i in range(1, 6)], abs=0.02)


def test_marks_move_with_the_face():
    torch.manual_seed(2)
    marks = (wanted_places() * 0.5).expand(16, -1, -1)
    gentle = PortraitChances(nearer=1.2, farther=1.2, moved=0.2)
    moved, new = move_portrait(dotted(marks, 112, 92), marks, (HEIGHT, WIDTH), gentle)
    assert not torch.allclose(marks, new, atol=0.05)
    seen, order = value_at(moved, new), torch.tensor([1, 2, 3, 4, 5]) / 6
    mirrored = torch.tensor([3, 4, 1, 2, 5]) / 6
    as_told = ((seen - order).abs().amax(1) < 0.03) | ((seen - mirrored).abs().amax(1) < 0.03)
    assert as_told.all()
    # The first mark stays the one on the right of the picture, mirrored or not.
    assert (new[:, 0, 0] > new[:, 2, 0]).all()


def test_varied_portraits_keep_range_and_take_the_size_asked_for():
    torch.manual_seed(3)
    x, marks = torch.rand(6, 1, 112, 92), (wanted_places() * 0.5).expand(6, -1, -1)
    varied, moved = vary_portrait(x, marks, (112, 96))
    assert varied.shape == (6, 1, 112, 96)
    assert moved.shape == (6, LANDMARKS, 2)
    assert 0 <= varied.min() <= varied.max() <= 1


def test_the_head_learns_where_marks_are():
    torch.manual_seed(4)
    marks = (wanted_places() * 0.5).expand(12, -1, -1)
    plan = FramingPlan(views=240, steps=60, batch=32, warmup=5)
    backbone = fold_norms(load_pretrained()).eval()
    grey_stem(backbone)
    maps = maps_of_views(Framing(backbone), dotted(marks, 112, 92, radius=7), marks, plan)
    kept = maps.picture % 4 > 0
    head, history = train_head(maps, kept, plan)
    assert history[0][0] == 1
    assert len(history) == 60
    held = ~kept
    with torch.no_grad():
        found = head(maps.middle[held].float(), maps.deep[held].float())
    wanted = maps.marks[held]
    still = errors(maps.marks[kept].mean(0, keepdim=True).expand_as(wanted), wanted).norm(dim=2).mean()
    assert errors(found, wanted).norm(dim=2).mean() < 0.6 * still


def test_a_picture_without_a_face_teaches_nothing():
    with pytest.raises(ValueError, match="picture 0: 0 faces, expected one"):
        teach_landmarks(np.full((1, 112, 92), 90, np.uint8))
