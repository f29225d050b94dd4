"""Random copies for training, made on batches of tensors: one warp a picture, then paste, tone and damage.

Pictures are floats in 0..1, [n, 3, side, side], squashed to a square; ``aspect`` (width / height) remembers the shape
they had, so that a rotation turns the real picture and not the squashed one. Coordinates run from -1 to 1.
"""
