"""Reads picture files named on standard input, one a line; writes each one's PDQ hash, 256 digits of 0 and 1."""

import sys

import numpy as np
import pdqhash
from PIL import Image, ImageOps

for line in sys.stdin:
    picture = ImageOps.exif_transpose(Image.open(line.rstrip("\n"))).convert("RGB")
    bits, _quality = pdqhash.compute(np.asarray(picture))
    print("".join(str(int(bit)) for bit in bits), flush=True)
