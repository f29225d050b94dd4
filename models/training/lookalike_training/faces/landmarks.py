"""Where eyes and nose are in the training pictures, told by dlib's landmark model.

It is the teacher of the framing inside our model and is needed for nothing else. Its weights, of regression trees over
7,198 faces that King annotated, come with PyPI ``face_recognition_models`` 0.3.0 (CC0; the package's other landmark
model, of 68 points, may not be used commercially and is not touched).
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from lookalike_training.siblings.face_resnet import package_file

WEIGHTS = "face_recognition_models/models/shape_predictor_5_face_landmarks.dat"
WEIGHTS_SHA256 = "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
#: dlib's detector wants faces of 80 pixels and more, with something around them.
ENLARGED, AROUND, GROUND = 4, 20, 100


def teach_landmarks(pictures: np.ndarray) -> np.ndarray:
    """[n, h, w] uint8 grey, one face each -> [n, 5, 2] (x, y) in -1 .. 1, in the order of ``framed_face``.

    Raises ``ValueError`` where a picture has no face, or several.
    """
    import dlib

    detect = dlib.get_frontal_face_detector()
    predict = dlib.shape_predictor(str(package_file(WEIGHTS, WEIGHTS_SHA256)))
    height, width = pictures.shape[1:]
    found = []
    for index, picture in enumerate(pictures):
        around = np.pad(picture, AROUND, constant_values=GROUND)
        large = Image.fromarray(around).resize((around.shape[1] * ENLARGED, around.shape[0] * ENLARGED), Image.BICUBIC)
        pixels = np.asarray(large.convert("RGB"))
        boxes = detect(pixels)
        if len(boxes) != 1:
            raise ValueError(f"picture {index}: {len(boxes)} faces, expected one")
        marks = predict(pixels, boxes[0])
        found.append([(marks.part(i).x, marks.part(i).y) for i in range(marks.num_parts)])
    # The middle of a pixel of the enlarged picture, in pixels of the picture.
    places = (np.array(found, np.float32) + 0.5) / ENLARGED - AROUND
    return (places / (width, height) * 2 - 1).astype(np.float32)
