import io
import zipfile

import numpy as np
import torch
from PIL import Image, ImageDraw

from lookalike_training.augment.drawing_warp import distort
from lookalike_training.character_training import PAPER, CharacterPlan, embed_drawings, pixels_of, train_characters
from lookalike_training.data.omniglot import Drawings, make_runs, read_background, read_official_runs
from lookalike_training.data.strokes import as_sequence, distort_sequences, parse_strokes
from lookalike_training.one_shot import mean_error, run_error
from lookalike_training.siblings.drawing_cnn import DrawingEncoder


def drawing(seed, jitter):
    """A three-stroke character; ``jitter`` moves its points by the drawer's hand."""
    points, hand = np.random.default_rng(seed).integers(15, 90, (4, 2)), np.random.default_rng(jitter)
    picture = Image.new("L", (105, 105), 255)
    moved = [tuple((p + hand.integers(-4, 5, 2)).tolist()) for p in points]
    ImageDraw.Draw(picture).line(moved, 0, 3)
    return picture


def png(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def toy_drawings(characters=24, drawers=6, side=32):
    pictures = [
        np.asarray(drawing(c, 1000 + c * drawers + d).resize((side, side), Image.Resampling.BILINEAR))
        for c in range(characters)
        for d in range(drawers)
    ]
    labels = np.repeat(np.arange(characters), drawers)
    return Drawings(np.stack(pictures), labels, np.zeros(len(labels), dtype=int), ["toy"])


def test_archives_are_read_as_published(tmp_path):
    with zipfile.ZipFile(tmp_path / "background.zip", "w") as z:
        for alphabet in ("A", "B"):
            for character in ("character01", "character02"):
                for d in (1, 2):
                    z.writestr(f"images_background/{alphabet}/{character}/{d:04d}_{d:02d}.png", png(drawing(d, 0)))
    read = read_background(tmp_path / "background.zip", 32)
    assert read.pictures.shape == (8, 32, 32)
    assert read.characters.tolist() == [0, 0, 1, 1, 2, 2, 3, 3] and read.alphabets.tolist() == [0] * 4 + [1] * 4

    with zipfile.ZipFile(tmp_path / "runs.zip", "w") as z:
        for run in range(1, 21):
            labels = []
            for i in range(1, 21):
                z.writestr(f"run{run:02d}/training/class{i:02d}.png", png(drawing(i, 1)))
                z.writestr(f"run{run:02d}/test/item{i:02d}.png", png(drawing(21 - i, 1)))
                labels.append(f"run{run:02d}/test/item{i:02d}.png run{run:02d}/training/class{21 - i:02d}.png")
            z.writestr(f"run{run:02d}/class_labels.txt", "\n".join(labels) + "\n")
    runs = read_official_runs(tmp_path / "runs.zip", 32)
    assert len(runs) == 20 and runs[0].truth.tolist() == list(range(19, -1, -1))
    # Queries are the support drawings themselves here, so even pixels find them all.
    flat = lambda p: p.reshape(len(p), -1) / np.linalg.norm(p.reshape(len(p), -1).astype(float), axis=1)[:, None]  # noqa: E731
    assert mean_error(flat, runs)[0] == 0


def test_made_runs_ask_for_one_drawer_by_another():
    drawings = toy_drawings()
    run = make_runs(drawings, 1, np.random.default_rng(0))[0]
    assert run.support.shape == (20, 32, 32) and sorted(run.truth) == list(range(20))
    same = (run.queries == run.support[run.truth]).all((1, 2))
    assert not same.any()


def test_paper_stays_paper():
    blank = np.full((1, 32, 32), 255, dtype=np.uint8)
    torch.testing.assert_close(pixels_of(blank), torch.full((1, 1, 32, 32), PAPER))
    assert distort(torch.zeros(4, 1, 32, 32)).max() == 0


def test_the_drawing_sibling_learns_and_resumes(tmp_path):
    drawings = toy_drawings()
    net = DrawingEncoder(32, (8, 16, 24))
    run = make_runs(drawings, 1, np.random.default_rng(1))[0]
    plan = CharacterPlan(steps=60, batch=48, warmup=5, rotations=2)
    trained = train_characters(net, drawings, plan, tmp_path, checkpoint_every=30)
    assert run_error(lambda p: embed_drawings(trained, p), run) < 0.4
    again = train_characters(DrawingEncoder(32, (8, 16, 24)), drawings, plan, tmp_path)
    for a, b in zip(trained.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b)


STROKES = "START\n10,-10,0\n20,-10,5\n30,-10,9\nBREAK\n30,-40,20\n30,-60,30\nBREAK\n"


def test_strokes_become_movements_of_equal_length():
    strokes = parse_strokes(STROKES)
    assert [len(s) for s in strokes] == [3, 2]
    sequence = as_sequence(strokes, 32)
    assert sequence.shape == (32, 7) and (sequence[:, 6] == 1).all()
    assert 0 < sequence[:, 4].mean() < 1
    # First to the right, then down (y points down).
    assert sequence[0, 0] > 0 and abs(sequence[0, 1]) < 1e-5 and sequence[-1, 1] > 0
    # Twice as large a drawing is the same sequence.
    np.testing.assert_allclose(as_sequence([s * 2 for s in strokes], 32), sequence, atol=1e-5)


def test_distortion_keeps_pen_and_presence():
    batch = np.stack([as_sequence(parse_strokes(STROKES))] * 3)
    out = distort_sequences(batch, np.random.default_rng(0))
    np.testing.assert_array_equal(out[..., 4:], batch[..., 4:])
    assert not np.allclose(out[..., :4], batch[..., :4])
