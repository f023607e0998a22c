"""Random weight files in TensorFlow.js's format, and plain versions of their networks."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, pad

EMBEDDING = [("conv32_down", 3, 32, 7)]  # name, channels in and out, size of the kernel
for _cin, _cout, _repeats in ((32, 32, 3), (32, 64, 3), (64, 128, 2), (128, 256, 2)):
    _blocks = [(f"conv{_cout}_down", _cin)] if _cin != _cout else []
    _blocks += [(f"conv{_cout}_{i + 1}", _cout) for i in range(_repeats)]
    for _name, _width in _blocks:
        EMBEDDING += [(f"{_name}/conv1", _width, _cout, 3), (f"{_name}/conv2", _cout, _cout, 3)]
EMBEDDING += [(f"conv256_down_out/conv{i}", 256, 256, 3) for i in (1, 2)]
CHANNELS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
HALVED = (2, 4, 6, 12)  # depthwise convolutions with a stride of 2


def random(rng: np.random.Generator, shape: tuple, spread: float, middle: float = 0) -> np.ndarray:
    return (middle + spread * rng.standard_normal(shape)).astype(np.float32)


def embedding_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    rng, found = np.random.default_rng(seed), {}
    for name, cin, cout, size in EMBEDDING:
        spread = (2 / (size * size * cin)) ** 0.5
        found[f"{name}/conv/filters"] = random(rng, (size, size, cin, cout), spread)
        found[f"{name}/conv/bias"] = random(rng, (cout,), 0.1)
        found[f"{name}/scale/weights"] = random(rng, (cout,), 0.1, 0.8)
        found[f"{name}/scale/biases"] = random(rng, (cout,), 0.1)
    return {**found, "fc": random(rng, (256, 128), 0.1)}


def res_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {"conv1/convolution/merged_input": random(rng, (3, 3, 3, 32), 0.005)}
    found["conv1_bn/batchnorm_1/sub"] = random(rng, (32,), 0.1)
    for i, (cin, cout) in enumerate(pairwise(CHANNELS), 1):
        found[f"conv_dw_{i}/depthwise_kernel"] = random(rng, (3, 3, cin, 1), 0.5)
        found[f"conv_dw_{i}_bn/batchnorm_1/mul"] = random(rng, (cin,), 0.1, 1)
        found[f"conv_dw_{i}_bn/batchnorm_1/sub"] = random(rng, (cin,), 0.1)
        found[f"conv_pw_{i}/convolution/merged_input"] = random(
            rng, (1, 1, cin, cout), (2 / cin) ** 0.5
        )
        found[f"conv_pw_{i}_bn/batchnorm_1/sub"] = random(rng, (cout,), 0.1)
    for name in ["conv1", *(f"conv_{kind}_{i}" for i in range(1, 14) for kind in ("dw", "pw"))]:
        found[f"{name}_relu/Cast"], found[f"{name}_relu/Const_1"] = np.float32(6), np.float32(0)
    return found


def write(manifest: Path, tensors: dict[str, np.ndarray], graph: bool) -> dict[str, np.ndarray]:
    """Writes kernels in 8 bits and all else in 16 and 32 by turns; the tensors as a file has them.

    `graph`: as a graph model writes its manifest, within an object.
    """
    raw, entries, found = b"", [], {}
    for turn, (name, value) in enumerate(tensors.items()):
        entry = dict(name=name, shape=list(value.shape), dtype="float32")
        if value.ndim > 1:
            scale = float(np.ptp(value)) / 255
            how = dict(dtype="uint8", scale=scale, min=float(value.min()))
            stored = ((value - value.min()) / scale).round().astype(np.uint8)
            found[name] = (stored * np.float32(scale) + value.min()).astype(np.float32)
            entry["quantization"] = how
        else:
            stored = value.astype(np.float16 if turn % 2 else np.float32)
            found[name] = np.asarray(stored, np.float32)
            if turn % 2:
                entry["quantization"] = dict(dtype="float16")
        raw += stored.tobytes()
        entries.append(entry)
    groups = [dict(paths=["weights.bin"], weights=entries)]
    manifest.write_text(json.dumps(dict(weightsManifest=groups) if graph else groups))
    manifest.with_name("weights.bin").write_bytes(raw)
    return found


def plain_embedding(found: dict[str, np.ndarray], photo: Tensor) -> Tensor:
    """(B, 128) of photos (B, 3, 150, 150), layer by layer as face-api computes it."""
    tensor = {name: torch.from_numpy(value) for name, value in found.items()}

    def layer(x: Tensor, name: str, stride: int = 1, valid: bool = False) -> Tensor:
        kernel = tensor[f"{name}/conv/filters"].permute(3, 2, 0, 1)
        x = conv2d(x, kernel, tensor[f"{name}/conv/bias"], stride, 0 if valid else 1)
        gain, offset = (tensor[f"{name}/scale/{part}"] for part in ("weights", "biases"))
        return x * gain[:, None, None] + offset[:, None, None]

    x = (photo * 255 - torch.tensor([122.782, 117.001, 104.298])[:, None, None]) / 255
    x = max_pool2d(layer(x, "conv32_down", 2, True).relu(), 3, 2)
    for name in dict.fromkeys(name.partition("/")[0] for name, *_ in EMBEDDING[1:]):
        down = "down" in name
        y = layer(x, f"{name}/conv1", 2 if down else 1, down).relu()
        y = layer(y, f"{name}/conv2")
        if down:
            x = avg_pool2d(x, 2)
            y = pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))
            x = torch.cat([x, torch.zeros(len(x), y.shape[1] - x.shape[1], *x.shape[2:])], 1)
        x = (x + y).relu()
    return x.mean((2, 3)) @ tensor["fc"]


def plain_res(found: dict[str, np.ndarray], photo: Tensor) -> Tensor:
    """(B, 1024) of photos (B, 3, 224, 224), layer by layer; sizes are even, so zeros come after."""
    tensor = {name: torch.from_numpy(value) for name, value in found.items()}

    def clipped(x: Tensor, name: str) -> Tensor:
        return (x + tensor[f"{name}_bn/batchnorm_1/sub"][:, None, None]).clamp(0, 6)

    x = photo.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    kernel = tensor["conv1/convolution/merged_input"].permute(3, 2, 0, 1)
    x = clipped(conv2d(pad(x, (0, 1, 0, 1)), kernel, stride=2), "conv1")
    for i, width in enumerate(CHANNELS[:-1], 1):
        kernel = tensor[f"conv_dw_{i}/depthwise_kernel"].permute(2, 3, 0, 1)
        x = pad(x, (0, 1, 0, 1) if i in HALVED else (1, 1, 1, 1))
        x = conv2d(x, kernel, stride=2 if i in HALVED else 1, groups=width)
        x = x * tensor[f"conv_dw_{i}_bn/batchnorm_1/mul"][:, None, None]
        x = clipped(x, f"conv_dw_{i}")
        kernel = tensor[f"conv_pw_{i}/convolution/merged_input"].permute(3, 2, 0, 1)
        x = clipped(conv2d(x, kernel), f"conv_pw_{i}")
    return x.mean((2, 3))
