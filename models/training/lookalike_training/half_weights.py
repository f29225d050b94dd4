"""float32 weights stored as float16: half the file, computed in float32 as before.

Every large weight becomes a float16 initializer and a ``Cast`` that ONNX Runtime folds when it opens the model, so that
inference is as fast and needs no float16 kernels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

#: Elements from which halving a weight is worth a node; small ones (biases, norms) stay exact.
LARGE = 1024


def halve_weights(file: Path) -> None:
    """In place. Weights beyond float16's range would become infinite and are refused."""
    model = onnx.load(file)
    graph = model.graph
    casts = []
    for index, item in enumerate(graph.initializer):
        if item.data_type != TensorProto.FLOAT:
            continue
        weight = numpy_helper.to_array(item)
        if weight.size < LARGE:
            continue
        if np.abs(weight).max() > np.finfo(np.float16).max:
            raise ValueError(f"{file}: {item.name} has weights beyond the range of float16")
        stored = numpy_helper.from_array(weight.astype(np.float16), item.name + "_half")
        casts.append(helper.make_node("Cast", [stored.name], [item.name], to=TensorProto.FLOAT))
        graph.initializer[index].CopyFrom(stored)
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, file)
