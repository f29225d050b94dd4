"""float32 -> int8 weights and activations (QDQ), calibrated on real pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)


class _Batches(CalibrationDataReader):
    def __init__(self, batches: Iterator[np.ndarray], name: str):
        self.batches, self.name = iter(batches), name

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {self.name: batch}


def quantise(file: Path, out: Path, batches: Iterator[np.ndarray], input_name: str = "pixels") -> None:
    """``batches`` [n, c, h, w] float32, normalised as the model expects; some hundred pictures do.

    Convolutions only: the last projection and the normalisation stay in float32, where an error would go straight
    into every similarity.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(file), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(out),
            _Batches(batches, input_name),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
