import numpy as np
import onnx
import pytest
import torch

from lookalike_training.character_training import PAPER
from lookalike_training.export import export_onnx, open_session
from lookalike_training.siblings.drawing_cnn import DrawingEncoder
from lookalike_training.siblings.gem import GeM
from lookalike_training.siblings.picture_encoder import PictureEncoder
from lookalike_training.siblings.several_looks import SeveralLooks
from lookalike_training.siblings.stroke_rnn import StrokeEncoder


def strokes(n):
    x = torch.randn(n, 20, 7)
    x[..., -1] = 1
    x[0, 12:] = 0
    return x


SIBLINGS = {
    "picture": (lambda: PictureEncoder(16), lambda n: torch.randn(n, 3, 64, 64), "pixels"),
    "drawing": (lambda: DrawingEncoder(16), lambda n: torch.randn(n, 1, 32, 32), "pixels"),
    "several looks": (
        lambda: SeveralLooks(DrawingEncoder(16), 32, PAPER),
        lambda n: torch.randn(n, 1, 32, 32),
        "pixels",
    ),
    "strokes": (lambda: StrokeEncoder(dimension=16), strokes, "strokes"),
}


@pytest.mark.parametrize("name", sorted(SIBLINGS))
def test_rows_have_unit_length_and_do_not_depend_on_the_batch(name):
    make, batch, _ = SIBLINGS[name]
    net, x = make().eval(), batch(3)
    with torch.no_grad():
        e = net.encode(x)
        torch.testing.assert_close(e.norm(dim=1), torch.ones(3))
        torch.testing.assert_close(net.encode(x[1:2]), e[1:2], rtol=1e-4, atol=1e-4)
    assert e.shape == (3, net.dimension)


@pytest.mark.parametrize("name", sorted(SIBLINGS))
def test_onnx_agrees_with_pytorch_for_any_batch(name, tmp_path):
    make, batch, input_name = SIBLINGS[name]
    net = make().eval()
    file = tmp_path / "model.onnx"
    export_onnx(net, batch(2), file, input_name)
    session = open_session(file)
    for n in (1, 5):
        x = batch(n)
        with torch.no_grad():
            expected = net.encode(x).numpy()
        np.testing.assert_allclose(session.run(["embedding"], {input_name: x.numpy()})[0], expected, atol=1e-4)
    model = onnx.load(str(file))
    assert max(o.version for o in model.opset_import) <= 21
    assert {o.domain for o in model.opset_import} <= {"", "ai.onnx"}


def test_picture_export_holds_no_pads_and_no_norms(tmp_path):
    file = tmp_path / "model.onnx"
    export_onnx(PictureEncoder(8).eval(), torch.randn(1, 3, 64, 64), file)
    kinds = {n.op_type for n in onnx.load(str(file)).graph.node}
    assert not kinds & {"Pad", "BatchNormalization"}


def test_padding_of_a_stroke_sequence_changes_nothing():
    net = StrokeEncoder(dimension=8).eval()
    x = strokes(1)[:, :12]
    longer = torch.cat([x, torch.zeros(1, 8, 7)], 1)
    with torch.no_grad():
        # The backward direction starts in the padding, so its first states differ a little.
        assert torch.cosine_similarity(net.encode(x), net.encode(longer)).item() > 0.95


def test_gem_lies_between_mean_and_maximum():
    x = torch.rand(2, 3, 4, 4)
    pooled = GeM()(x)
    assert (pooled > x.mean((2, 3))).all() and (pooled < x.amax((2, 3))).all()
    torch.testing.assert_close(GeM(1.0)(x), x.mean((2, 3)))


def test_frozen_blocks_get_no_gradient():
    net = PictureEncoder(8)
    net.freeze(5)
    net.encode(torch.randn(1, 3, 64, 64)).sum().backward()
    assert net.backbone.blocks[4].layers[0].weight.grad is None
    assert net.backbone.blocks[5].layers[0].weight.grad is not None
