import io

import numpy as np
from PIL import Image

from lookalike_training.data.perceptual_hash import near_pairs, perceptual_hash
from lookalike_training.data.pictures import list_pictures, open_picture, squash
from lookalike_training.data.splits import split_pictures


def saved(picture, format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    buffer.seek(0)
    return buffer


def test_exif_orientation_is_applied(picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = open_picture(saved(picture, "JPEG", exif=exif, quality=95))
    assert upright.size == (240, 320)
    # Also when the picture is shrunk while decoding.
    assert open_picture(saved(picture, "JPEG", exif=exif), at_least=40).size == (60, 80)


def test_transparency_becomes_white():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert np.asarray(open_picture(saved(clear))).min() == 255
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([255, 0, 0] + [0, 0, 0] * 255)
    assert np.asarray(open_picture(saved(palette, transparency=0))).min() == 255


def test_first_frame_of_an_animation(picture):
    frames = [picture, picture.point(lambda v: 255 - v)]
    first = open_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    difference = np.abs(np.asarray(first).astype(int) - np.asarray(picture)).mean()
    assert difference < 20


def test_sixteen_bit_and_cmyk_and_grey(picture):
    deep = Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1024)
    assert np.asarray(open_picture(saved(deep))).max() in range(240, 256)
    for mode, format in (("CMYK", "JPEG"), ("L", "PNG")):
        assert open_picture(saved(picture.convert(mode), format)).mode == "RGB"


def test_jpeg_is_shrunk_while_decoding_only_where_enough_is_left(picture):
    file = saved(picture.resize((640, 480)), "JPEG")
    assert open_picture(file, at_least=200).size == (640, 480)
    file.seek(0)
    assert open_picture(file, at_least=100).size == (320, 240)


def test_squash_ignores_aspect_and_enlarges_like_libvips():
    row = np.repeat((np.arange(8, dtype=np.uint8) * 30)[None], 3, 0)
    picture = Image.fromarray(np.stack([row] * 3, -1))
    # What sharp 0.35 / libvips 8.18 gives for resize(16, 3, {fit: "fill", kernel: "linear"}).
    vips = [0, 0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 195, 210]
    assert squash(picture, 16, 3)[1, :, 0].tolist() == vips
    assert squash(picture, 4, 2).shape == (2, 4, 3)


def test_listing_is_sorted_and_leaves_other_files_out(folder):
    (folder / "notes.txt").write_text("no picture")
    files = list_pictures(folder)
    assert len(files) == 48 and files == sorted(files)


def test_splits_share_nothing(folder):
    split = split_pictures(list_pictures(folder))
    assert not set(split.fit) & set(split.validation)
    assert len(split.fit) + len(split.validation) == 48


def test_perceptual_hash_finds_copies_only(picture):
    others = [picture, picture.resize((160, 120)), picture.rotate(90, expand=True)]
    hashes = np.stack([perceptual_hash(p) for p in others])
    assert near_pairs(hashes, 6) == [(0, 1)]
