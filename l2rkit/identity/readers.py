"""Converts identity networks' TensorFlow.js weight files to ours."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, WeightsError
from ..io.quantization import quantize
from ..io.reading import read_json
from ..io.weights import write_weights
from .face_embedding import BLOCKS as EMBEDDING_BLOCKS
from .face_embedding import FaceEmbedding
from .face_res import BLOCKS as RES_BLOCKS
from .face_res import FaceRes

CLIP = 6.0  # upper bound of every ReLU in FaceRes
SMALL = 20_000  # smaller tensors are written in 16 bits


def read_face_embedding(manifest: Path) -> FaceEmbedding:
    """The network in `face_recognition_model-weights_manifest.json` and the files that it names.

    The scale after each convolution is folded into it. The mean code is 0.

    Raises:
        WeightsError: the files are damaged or belong to another network.
    """
    found = read_weight_groups(manifest, _json(manifest))
    names = ["conv32_down"]
    for channels, repeats in EMBEDDING_BLOCKS:
        down = [f"conv{channels}_down"] if channels != EMBEDDING_BLOCKS[0][0] else []
        blocks = [*down, *(f"conv{channels}_{i + 1}" for i in range(repeats))]
        names += [f"{block}/conv{i}" for block in blocks for i in (1, 2)]
    names += [f"{blocks[-1][:7]}_down_out/conv{i}" for i in (1, 2)]
    pairs = []
    for name in names:
        kernel, bias = (_tensor(found, f"{name}/conv/{part}") for part in ("filters", "bias"))
        gain, offset = (_tensor(found, f"{name}/scale/{part}") for part in ("weights", "biases"))
        pairs.append((_outputs_first(kernel) * gain[:, None, None, None], bias * gain + offset))
    network = FaceEmbedding(weights=None)
    _put(manifest, network, pairs)
    code = _tensor(found, "fc").T
    if code.shape != network.code.weight.shape:
        raise WeightsError(f"{manifest} is of another network: 'fc' is {tuple(code.T.shape)}")
    network.code.weight.copy_(code)
    return network


def read_face_res(model: Path) -> FaceRes:
    """The network in `faceres.json` and the files that it names, batch norms folded in.

    The source takes BGR in 0..255; this network takes RGB in 0..1. The mean code is 0.

    Raises:
        WeightsError: the files are damaged or belong to another network.
    """
    content = _json(model)
    groups = content.get("weightsManifest", ()) if isinstance(content, dict) else ()
    found = read_weight_groups(model, groups)
    pairs = [(_tensor(found, "conv1/convolution/merged_input"), "conv1")]
    for i in range(1, len(RES_BLOCKS) + 1):
        depthwise = _tensor(found, f"conv_dw_{i}/depthwise_kernel")
        gain = _tensor(found, f"conv_dw_{i}_bn/batchnorm_1/mul")
        pairs.append((depthwise.transpose(2, 3) * gain, f"conv_dw_{i}"))
        pairs.append((_tensor(found, f"conv_pw_{i}/convolution/merged_input"), f"conv_pw_{i}"))
    for _, name in pairs:
        clip, least = (_tensor(found, f"{name}_relu/{what}") for what in ("Cast", "Const_1"))
        if (clip, least) != (CLIP, 0):
            raise WeightsError(f"{model} is of another network: {name} is clipped at {clip:g}")
    network, offsets = FaceRes(weights=None), "{}_bn/batchnorm_1/sub"
    kernels = [_outputs_first(kernel) for kernel, _ in pairs]
    kernels[0] = kernels[0].flip(1) * 255
    biases = [_tensor(found, offsets.format(name)) for _, name in pairs]
    _put(model, network, list(zip(kernels, biases)))
    return network


def read_weight_groups(manifest: Path, groups: Any) -> dict[str, np.ndarray]:
    """{name: float32 array}: the tensors of a TensorFlow.js manifest, from the files beside it.

    Raises:
        WeightsError: a file is missing, cut short or too long, or the manifest is not readable.
    """
    found = {}
    try:
        for group in groups:
            raw = b"".join((manifest.parent / Path(p).name).read_bytes() for p in group["paths"])
            start = 0
            for entry in group["weights"]:
                count, how = math.prod(entry["shape"]), entry.get("quantization", {})
                kind = np.dtype(how.get("dtype", entry["dtype"]))
                values = np.frombuffer(raw, kind, count, start).astype(np.float32)
                if "scale" in how:
                    values = values * np.float32(how["scale"]) + np.float32(how["min"])
                found[entry["name"]] = values.reshape(entry["shape"])
                start += count * kind.itemsize
            if start != len(raw):
                raise ValueError(f"{len(raw)} bytes instead of {start}")
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise WeightsError(f"{manifest} has no whole weights beside it ({error})") from None
    if not found:
        raise WeightsError(f"{manifest} names no weights of TensorFlow.js")
    return found


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except DataError as error:
        raise WeightsError(str(error)) from None


def _tensor(found: dict[str, np.ndarray], name: str) -> Tensor:
    if name not in found:
        raise WeightsError(f"these weights are of another network: they lack '{name}'")
    return torch.from_numpy(found[name])


def _outputs_first(kernel: Tensor) -> Tensor:
    """(out, in, H, W) of TensorFlow's (H, W, in, out)."""
    return kernel.permute(3, 2, 0, 1)


def _put(source: Path, network: torch.nn.Module, pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Puts weights and biases into the network's convolutions, in order."""
    convolutions = [part for part in network.modules() if isinstance(part, torch.nn.Conv2d)]
    for conv, values in zip(convolutions, pairs, strict=True):
        for place, value in zip((conv.weight, conv.bias), values):
            if place.shape != value.shape:
                got, expected = tuple(value.shape), tuple(place.shape)
                raise WeightsError(f"{source} is of another network: {got} for {expected}")
            place.copy_(value)


def write_identity(network: FaceEmbedding | FaceRes, path: str | Path) -> None:
    """Writes the network's weights: large tensors in 8 bits, those below `SMALL` in 16."""
    state = network.state_dict()
    large = {name: value for name, value in state.items() if value.numel() >= SMALL}
    small = {name: value.half() for name, value in state.items() if name not in large}
    write_weights(quantize(large) | small, path)
