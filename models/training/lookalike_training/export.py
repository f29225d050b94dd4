"""PyTorch -> ONNX that ONNX Runtime Web runs: standard operators, dynamic batch axis."""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from lookalike_training.siblings.encoder import Encoder
from lookalike_training.siblings.fold_norm import fold_norms

OPSET = 17


def merge_pads(model: onnx.ModelProto) -> onnx.ModelProto:
    """Move constant zero ``Pad`` nodes into the convolution that follows: one pass over memory less each."""
    graph = model.graph
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    users: dict[str, int] = {}
    for node in graph.node:
        for name in node.input:
            users[name] = users.get(name, 0) + 1
    made_by = {name: node for node in graph.node for name in node.output}
    for conv in [n for n in graph.node if n.op_type == "Conv"]:
        pad = made_by.get(conv.input[0])
        if pad is None or pad.op_type != "Pad" or users[pad.output[0]] != 1 or pad.input[1] not in constants:
            continue
        mode = next((a.s for a in pad.attribute if a.name == "mode"), b"constant")
        amounts = constants[pad.input[1]].tolist()
        if mode != b"constant" or len(amounts) != 8 or any(amounts[i] for i in (0, 1, 4, 5)):
            continue
        top, left, bottom, right = amounts[2], amounts[3], amounts[6], amounts[7]
        own = next((a for a in conv.attribute if a.name == "pads"), None)
        if own is not None:
            merged = [a + b for a, b in zip(own.ints, (top, left, bottom, right), strict=True)]
            del own.ints[:]
            own.ints.extend(merged)
        else:
            conv.attribute.append(onnx.helper.make_attribute("pads", [top, left, bottom, right]))
        conv.input[0] = pad.input[0]
        graph.node.remove(pad)
    wanted = {name for node in graph.node for name in node.input}
    for node in [n for n in graph.node if n.op_type == "Constant" and n.output[0] not in wanted]:
        graph.node.remove(node)
    for item in [i for i in graph.initializer if i.name not in wanted]:
        graph.initializer.remove(item)
    onnx.checker.check_model(model)
    return model


def export_onnx(encoder: Encoder, example: Tensor, file: Path, input_name: str = "pixels", atol: float = 1e-4) -> None:
    """Write ``file`` and prove that it agrees with PyTorch to ``atol`` for batches of one and of several.

    ``example`` [n, ...] gives the shape of a batch; its first axis becomes dynamic.
    """
    net = fold_norms(copy.deepcopy(encoder).float()).to(memory_format=torch.contiguous_format).eval()
    file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (example.contiguous(),),
            str(file),
            input_names=[input_name],
            output_names=["embedding"],
            dynamic_axes={input_name: {0: "n"}, "embedding": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = merge_pads(folded_constants(file))
    model.producer_name = "lookalike-training"
    onnx.save(model, str(file))
    session = open_session(file)
    for n in (1, len(example), 3):
        batch = example[:1].expand(n, *example.shape[1:]).clone() if n > len(example) else example[:n]
        with torch.no_grad():
            ours = net(batch).numpy()
        theirs = session.run(None, {input_name: batch.numpy()})[0]
        worst = float(np.abs(ours - theirs).max())
        if worst > atol:
            raise RuntimeError(f"{file}: ONNX and PyTorch differ by {worst:.2e}")


def folded_constants(file: Path) -> onnx.ModelProto:
    """The graph with its constant arithmetic done: the exporter computes even fixed paddings at run time."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        model = onnx.load(options.optimized_model_filepath)
    # The optimiser declares the domains of all its operators; only those in use may stay, or the web runtime objects.
    used = {node.domain for node in model.graph.node}
    kept = [o for o in model.opset_import if o.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def open_session(file: Path, threads: int = 2) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Waiting threads would burn the cores that another program on a shared machine needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
