import io

import numpy as np
import onnx
import pytest
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from lookalike_training.data.pictures import contain, model_picture
from lookalike_training.export import export_onnx, open_session
from lookalike_training.faces.baselines import eigenface_scores, pattern_scores, pixel_scores
from lookalike_training.half_weights import halve_weights
from lookalike_training.siblings.covariance_pool import CovariancePool
from lookalike_training.siblings.depths_encoder import DepthsEncoder
from lookalike_training.siblings.efficientnet_lite import EfficientNetLite0, grey_stem
from lookalike_training.siblings.face_resnet import FaceResNet
from lookalike_training.siblings.fold_norm import fold_norms
from lookalike_training.siblings.framed_face import HEIGHT, WIDTH, FramedFace, Framing
from lookalike_training.siblings.ink_frame import InkFrame, ink_of
from lookalike_training.siblings.signature_encoder import SignatureEncoder
from lookalike_training.siblings.variability import VariabilityHead
from lookalike_training.signatures.metric import MetricPlan, fit_metric, hands
from lookalike_training.verification.figures import equal_error_point, error_interval, rates_at, true_accept_at
from lookalike_training.verification.operating_points import operating_points, reference_points
from lookalike_training.verification.pairs import (
    PairScores,
    pairs_of_subjects,
    pairs_with_forgeries,
    rank_one,
    scores_of_references,
)
from lookalike_training.verification.projection import (
    WhiteningPlan,
    whitened_projection,
)


def scores(same, different) -> PairScores:
    same, different = np.array(same), np.array(different)
    return PairScores(same, different, np.arange(len(same)) % 3, np.arange(len(different))[:, None] % [3, 3])


def test_pairs_of_subjects_are_each_counted_once():
    score = np.array([[1, 0.9, 0.2], [0.9, 1, 0.3], [0.2, 0.3, 1]])
    found = pairs_of_subjects(score, np.array([7, 7, 8]))
    assert found.same.tolist() == [0.9]
    assert sorted(found.different) == [0.2, 0.3]
    assert found.different_of.tolist() == [[7, 8], [7, 8]]


def test_forgeries_are_paired_with_genuine_signatures_of_their_writer_only():
    writers = np.array([1, 1, 1, 1, 2, 2])
    genuine = np.array([True, True, False, False, True, False])
    score = np.arange(36, dtype=float).reshape(6, 6)
    score = np.triu(score) + np.triu(score, 1).T
    found = pairs_with_forgeries(score, writers, genuine)
    assert found.same.tolist() == [score[0, 1]]
    assert sorted(found.different) == sorted([score[0, 2], score[0, 3], score[1, 2], score[1, 3], score[4, 5]])
    assert sorted(found.different_of.tolist()) == [[1, 1], [1, 1], [1, 1], [1, 1], [2, 2]]


@pytest.mark.parametrize(("rule", "expected"), [("mean", 0.5), ("max", 0.8), ("nearest two", 0.65)])
def test_several_references_are_scored_together(rule, expected):
    # Three genuine ones, all taken as references but one; one forgery at 0.2, 0.5, 0.8 to them.
    score = np.eye(4)
    score[3, :3] = score[:3, 3] = [0.2, 0.5, 0.8]
    found = scores_of_references(
        np.pad(score, ((0, 1), (0, 1)), constant_values=0.9),
        np.array([1, 1, 1, 1, 1]),
        np.array([True, True, True, False, True]),
        references=4 - 1,
        rule=rule,
        draws=40,
        seed=0,
    )
    # Where the fourth genuine one is asked, the forgery meets exactly the three above.
    assert np.isclose(found.different, expected).any()
    assert len(found.same) == 40


def test_relative_scores_are_less_what_the_references_have_in_common():
    # Two writers who vary differently; each forgery is a little less alike than the writer's own.
    writers, genuine = np.repeat([1, 2], 5), np.tile([True, True, True, True, False], 2)
    score = np.eye(10)
    for first, own, forged in ((0, 0.9, 0.8), (5, 0.6, 0.5)):
        score[first : first + 5, first : first + 5] = own
        score[first + 4, first : first + 4] = score[first : first + 4, first + 4] = forged
    plain = scores_of_references(score, writers, genuine, 3, "mean", 5, 0)
    relative = scores_of_references(score, writers, genuine, 3, "mean", 5, 0, relative=True)
    assert sorted(np.unique(plain.same.round(6))) == [0.6, 0.9]
    assert np.allclose(relative.same, 0)
    assert np.allclose(relative.different, -0.1)
    assert equal_error_point(plain.same, plain.different)[0] == pytest.approx(0.5)
    points = reference_points(relative, 3, "test")
    assert points[0]["references"] == 3
    assert points[0]["falsePositiveRate"] == 0
    assert points[0]["recall"] == 1
    assert -0.1 < points[0]["margin"] <= 0


def test_rank_one_enrols_one_picture_each():
    rows = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    people = np.array([5, 5, 6, 6, 7, 7])
    assert rank_one(rows @ rows.T, people) == 1
    mixed = np.eye(3)[[0, 1, 1, 0, 2, 2]]
    assert rank_one(mixed @ mixed.T, people) == pytest.approx(1 / 3)


def test_error_rates_by_hand():
    s = scores([0.9, 0.8, 0.7, 0.3], [0.6, 0.4, 0.2, 0.1])
    error, at = equal_error_point(s.same, s.different)
    assert error == pytest.approx(0.25)
    assert rates_at(s, at) == (0.25, 0.25)
    assert true_accept_at(s.same, s.different, 0) == 0.75
    assert true_accept_at(s.same, s.different, 0.5) == 1.0


def test_the_interval_holds_the_error_and_is_wider_for_fewer_subjects():
    rng = np.random.default_rng(0)

    def drawn(subjects):
        of = np.repeat(np.arange(subjects), 30)
        lift = rng.normal(0, 0.1, subjects)[of]
        return PairScores(
            0.6 + lift + rng.normal(0, 0.1, len(of)), 0.4 + rng.normal(0, 0.1, len(of)), of, np.stack([of, of], 1)
        )

    few, many = drawn(5), drawn(80)
    for s in (few, many):
        low, high = error_interval(s, draws=100)
        assert low <= equal_error_point(s.same, s.different)[0] <= high
    assert np.subtract(*error_interval(few, draws=100)[::-1]) > np.subtract(*error_interval(many, draws=100)[::-1])


@pytest.mark.parametrize("one", [0, 11])
def test_the_interval_counts_a_pair_only_where_both_of_its_people_are_drawn(one):
    """Whoever of twelve looks like all others is left out by a third of the draws, which then have no error."""
    people = np.repeat(np.arange(12), 2)
    same = people[:, None] == people[None]
    alike = (people[:, None] == one) | (people[None] == one)
    low, high = error_interval(pairs_of_subjects(np.where(same, 0.8, np.where(alike, 0.9, 0.1)), people))
    assert low == 0
    assert high > 0.1


def test_operating_points_are_what_the_pairs_say():
    rng = np.random.default_rng(1)
    s = scores(rng.beta(8, 3, 3000), rng.beta(3, 8, 6000))
    points, default = operating_points(s, "test", rates=(0.1, 0.01), default_rate=None)
    assert default in [p["similarity"] for p in points]
    assert [p["similarity"] for p in points] == sorted(p["similarity"] for p in points)
    for point in points:
        accepted, refused = rates_at(s, point["similarity"])
        assert accepted <= point["falsePositiveRate"] + 1e-4
        assert 1 - refused == pytest.approx(point["recall"], abs=1e-4)
    equal = next(p for p in points if p["similarity"] == default)
    assert equal["falsePositiveRate"] == pytest.approx(1 - equal["recall"], abs=2e-3)


def paper(ink=30, ground=240, at=(20, 30), scale=1.0, size=(224, 112)) -> torch.Tensor:
    """A drawn signature [1, 1, h, w] in 0..1."""
    made = Image.new("L", size, ground)
    points = [(0, 30), (15, 0), (25, 40), (40, 10), (60, 35), (90, 5)]
    ImageDraw.Draw(made).line([(at[0] + x * scale, at[1] + y * scale) for x, y in points], ink, 3)
    return torch.from_numpy(np.asarray(made).copy()).float()[None, None] / 255


def test_ink_is_the_same_whatever_the_pen_and_the_paper():
    black, grey = ink_of(paper(ink=10, ground=250)), ink_of(paper(ink=120, ground=215))
    assert (black - grey).abs().max() < 0.05
    assert 0.9 < black.max() <= 1
    assert ink_of(torch.ones(1, 1, 112, 224)).sum() == 0


def test_the_frame_follows_the_ink():
    frame = InkFrame((112, 224), (80, 160))
    here, there = frame(paper(at=(10, 10))), frame(paper(at=(120, 60)))
    assert here.shape == (1, 1, 80, 160)
    assert (here - there).abs().mean() < 0.02
    bigger = frame(paper(at=(10, 10), scale=1.6))
    assert torch.cosine_similarity(here.flatten(), bigger.flatten(), dim=0) > 0.6
    # Aspect is kept: the signature is 90 wide and 40 high, and its frame is filled in width.
    ink = here[0, 0] > 0.3
    assert int(ink.any(0).sum()) > 140
    assert int(ink.any(1).sum()) == pytest.approx(int(ink.any(0).sum()) * 43 / 93, rel=0.1)


def test_specks_do_not_move_the_frame():
    dirty = paper()
    dirty[0, 0, 100, 200] = 0.1
    frame = InkFrame((112, 224), (80, 160))
    assert (frame(dirty) - frame(paper())).abs().mean() < 0.02


def test_a_grey_stem_reads_grey_as_the_coloured_one_does():
    backbone = fold_norms(EfficientNetLite0())
    x = torch.rand(2, 1, 32, 32)
    coloured = backbone.stem(x.expand(-1, 3, -1, -1))
    grey_stem(backbone)
    assert torch.allclose(backbone.stem(x), coloured, atol=1e-5)


@pytest.mark.parametrize("kind", ["faces", "signatures"])
def test_verifiers_export_and_halve(tmp_path, kind):
    if kind == "faces":
        backbone = fold_norms(EfficientNetLite0())
        grey_stem(backbone)
        net, example = FramedFace(Framing(backbone), FaceResNet()), torch.rand(3, 1, HEIGHT, WIDTH)
    else:
        net = SignatureEncoder(small_depths(), (112, 224))
        example = torch.cat([paper(), paper(at=(60, 50)), paper(ink=90)])
    file = tmp_path / "model.onnx"
    export_onnx(net.eval(), example, file)
    before = open_session(file, 1).run(None, {"pixels": example.numpy()})[0]
    size = file.stat().st_size
    halve_weights(file)
    assert file.stat().st_size < 0.6 * size
    after = open_session(file, 1).run(None, {"pixels": example.numpy()})[0]
    assert (before * after).sum(1).min() > 0.9999
    # What runs is float32: a runtime without float16 kernels opens it.
    assert all(o.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for o in onnx.load(file).graph.output)


def small_depths() -> DepthsEncoder:
    backbone = fold_norms(EfficientNetLite0())
    grey_stem(backbone)
    return DepthsEncoder(backbone, (64, 128), 16).eval()


def test_strokes_count_wherever_they_are():
    net = small_depths()
    # A stroke, the same one moved by whole cells of the coarsest map, and one that leans the other way.
    x = torch.zeros(3, 1, 64, 128)
    for i in range(16):
        x[0, 0, 16 + i, 32 + i : 36 + i], x[1, 0, 32 + i, 64 + i : 68 + i], x[2, 0, 16 + i, 51 - i : 55 - i] = 1, 1, 1
    with torch.no_grad():
        here, moved, other = net.encode(x)
    assert here @ moved > here @ other
    with pytest.raises(ValueError, match="divisible by 32"):
        DepthsEncoder(EfficientNetLite0(), (64, 100), 16)


def test_covariances_are_those_of_the_channels():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 4, 5)
    pooled = CovariancePool(3)(maps)
    assert pooled.shape == (2, 6)
    expected = torch.cov(maps[1].flatten(1), correction=0)[tuple(torch.triu_indices(3, 3))]
    squared = pooled[1].sign() * pooled[1].square()
    assert torch.allclose(squared / squared.abs().sum(), expected / expected.abs().sum(), atol=1e-5)
    # What is the same everywhere is no covariance.
    assert torch.allclose(CovariancePool(3)(maps + 7), pooled, atol=1e-3)


def test_a_varying_hand_is_given_more_room():
    head = VariabilityHead(4, 5)
    with torch.no_grad():
        head.project.weight.copy_(torch.eye(4))
        head.project.bias.zero_()
        head.variability.weight.copy_(torch.tensor([[1.0, 0, 0, 0]]))
    calm, varying = torch.tensor([[-2.0, 1, 0, 0], [-2, -1, 0, 0]]), torch.tensor([[2.0, 1, 0, 0], [2, -1, 0, 0]])
    with torch.no_grad():
        (a, b), (c, d) = head(calm), head(varying)
    for vector in (a, b, c, d):
        assert vector.norm() == pytest.approx(1, abs=1e-5)
    assert torch.cosine_similarity(*calm, dim=0) == torch.cosine_similarity(*varying, dim=0)
    assert c @ d > a @ b + 0.1


def test_what_lies_near_the_mean_is_given_more_room():
    head = VariabilityHead(2, 3)
    with torch.no_grad():
        head.project.weight.copy_(torch.eye(2))
        head.project.bias.zero_()
        turned = torch.tensor([[1.0, 0.5], [1.0, -0.5]])
        near, before, far = 0.5 * turned, head(turned), 2 * turned
        # Until lengths are trusted, directions alone count; then those of the usual length stay as they were.
        assert torch.allclose(head(near), head(far))
        head.trust_length(torch.cat([turned, near, far]))
        (a, b), now, (c, d) = head(near), head(turned), head(far)
    assert torch.allclose(now, before, atol=1e-6)
    assert torch.allclose(torch.stack([a, b, c, d]).norm(dim=1), torch.ones(4))
    assert a @ b > now[0] @ now[1] + 0.05 > c @ d + 0.2


def made_signatures(seed: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Features, writers and genuine of 20 writers: what is in the third number is how much the writer varies, and
    forgeries are off by as much again."""
    torch.manual_seed(seed)
    features, writers, genuine = [], [], []
    for writer in range(20):
        spread = 0.1 + 0.5 * torch.rand(1)
        centre = torch.cat([torch.randn(2), 4 * spread])
        away = F.normalize(torch.randn(5), dim=0) * spread * 3
        own = torch.randn(14, 5) * spread
        own[6:] += away
        features.append(torch.cat([centre.expand(14, 3) + 0.02 * torch.randn(14, 3), own], 1))
        writers += [writer] * 14
        genuine += [True] * 6 + [False] * 8
    return torch.cat(features), np.array(writers), np.array(genuine)


def test_a_metric_knows_hands_that_vary_and_is_made_the_same_again():
    plan = MetricPlan(dimension=8, components=8, steps=30)
    fitted, unseen = made_signatures(1), made_signatures(2)
    head = fit_metric(*fitted, plan)
    assert not any(p.requires_grad for p in head.parameters())

    def error(vectors: torch.Tensor) -> float:
        pairs = pairs_with_forgeries((vectors @ vectors.T).numpy(), *unseen[1:])
        return equal_error_point(pairs.same, pairs.different)[0]

    whitened = F.normalize(head.project(unseen[0]), dim=1)
    assert error(head(unseen[0])) < error(whitened) - 0.02
    again = fit_metric(*fitted, plan)
    assert torch.equal(head(unseen[0]), again(unseen[0]))


def test_only_writers_with_pairs_of_both_kinds_are_learned_from():
    writers = np.array([1, 1, 1, 2, 2, 3, 3])
    genuine = np.array([True, True, False, True, True, True, False])
    (only,) = hands(writers, genuine)
    assert (only.genuine.tolist(), only.forged.tolist()) == ([0, 1], [2])
    same, different = only.similarities(torch.eye(7))
    assert (same.tolist(), different.tolist()) == ([0], [0, 0])


def test_what_is_alone_with_its_label_is_not_taken_for_a_variation():
    torch.manual_seed(0)
    labels = torch.arange(12).repeat_interleave(6)
    genuine = torch.randn(12, 8)[labels] + 0.1 * torch.randn(72, 8)
    forged = genuine.clone()
    forged[:, 7] += 3
    features = torch.cat([genuine, forged])
    plan = WhiteningPlan(dimension=8, components=8, shrinkage=0.01)

    def likeness(of_forged: torch.Tensor) -> float:
        weight, bias = whitened_projection(features, torch.cat([labels, of_forged]), plan)
        return float(torch.cosine_similarity(genuine @ weight.T + bias, forged @ weight.T + bias).mean())

    assert likeness(1000 + torch.arange(72)) < likeness(labels) - 0.1


def test_baselines_prefer_the_same_picture(picture):
    grey = np.asarray(picture.convert("L").resize((92, 112)))
    other = np.asarray(picture.convert("L").rotate(90).resize((92, 112)))
    paler = (grey * 0.9 + 20).astype(np.uint8)
    pictures = np.stack([grey, paler, other])
    training = np.random.default_rng(1).integers(0, 256, (80, 112, 92)).astype(np.uint8)
    for score in (pixel_scores(pictures), eigenface_scores(training, pictures), pattern_scores(pictures)):
        assert score.shape == (3, 3)
        assert score[0, 1] > score[0, 2]


def test_contain_keeps_the_aspect_on_white():
    made = contain(Image.new("RGB", (300, 100), (10, 20, 30)), 60, 40)
    assert made.shape == (40, 60, 3)
    assert (made[10:30] == [10, 20, 30]).all()
    assert (made[:10] == 255).all()
    assert (made[30:] == 255).all()


def test_a_turned_jpeg_is_decoded_for_its_upright_shape(picture):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(buffer, "JPEG", exif=exif, quality=95)
    buffer.seek(0)
    made = model_picture(buffer, 40, 80, "contain")
    # 320 x 240 turned is 240 x 320: 40 wide and 53 high inside of 40 x 80.
    assert (made[:13] == 255).all()
    assert (made[14:66] == 255).mean() < 0.5
