"""Reads other projects' StyleGAN2 generators under our names, as NVIDIA's `legacy.py` does.

Nothing in a file is run.

Ours are `mapping.<layer>`, `start`, `mean_w` and, for each size, `blocks.<px>.up`, `.conv` and
`.image`, each with `weight`, `bias` and `style`, and the first two with `strength` and `noise`.

The layouts follow the published code of each project. Tests write files in these layouts; none of
the released files was tried.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import WeightsError
from ..io.pickles import read_foreign
from ..io.tensors import check_tensors
from ..io.weights import read_weights
from .persistent import read_persistent, tensors

State = dict[str, Tensor]
Rule = tuple[str, str | Callable[[re.Match], str]]


@dataclass(frozen=True)
class Shape:
    """The dimensions of a generator: channels by size in px, entries of w, mapping layers."""

    channels: dict[int, int]
    latent: int
    mapping: int


def _nth(number: int) -> str:
    """Our name of the n-th convolution, counted from 0 at 4 px; two for each larger size."""
    return f"blocks.{4 << (number + 1) // 2}.{'up' if number % 2 else 'conv'}"


# rosinality/stylegan2-pytorch, the "community" layout, and MMGeneration and MMagic after it.
COMMUNITY: list[Rule] = [
    (r"^style\.(\d+)\.", lambda m: f"mapping.{int(m[1]) - 1}."),
    (r"^style_mapping\.(\d+)\.", lambda m: f"mapping.{int(m[1]) - 1}."),
    (r"^(input|constant_input)\.input$", "start"),
    (r"^w_avg$", "mean_w"),
    (r"^conv1\.", "blocks.4.conv."),
    (r"^convs\.(\d+)\.", lambda m: f"{_nth(int(m[1]) + 1)}."),
    (r"^to_rgb1\.", "blocks.4.image."),
    (r"^to_rgbs\.(\d+)\.", lambda m: f"blocks.{8 << int(m[1])}.image."),
    (r"^(?:noises\.|injected_)noise_(\d+)$", lambda m: f"{_nth(int(m[1]))}.noise"),
    (r"(?:\.linear)?\.weight(?:_orig)?$", ".weight"),
    (r"\.conv\.(?:style_)?modulation\.", ".style."),
    (r"\.conv\.weight$", ".weight"),
    (r"\.(?:noise|noise_injector)\.weight$", ".strength"),
    (r"\.activate\.bias$", ".bias"),
]
# stylegan2-ada-pytorch and stylegan3's networks_stylegan2.
NVIDIA: list[Rule] = [
    (r"^mapping\.w_avg$", "mean_w"),
    (r"^mapping\.fc(\d+)\.", r"mapping.\1."),
    (r"^synthesis\.b4\.const$", "start"),
    (r"^synthesis\.b(\d+)\.", r"blocks.\1."),
    (r"\.conv0\.", ".up."),
    (r"\.conv1\.", ".conv."),
    (r"\.torgb\.", ".image."),
    (r"\.affine\.", ".style."),
    (r"\.noise_strength$", ".strength"),
    (r"\.noise_const$", ".noise"),
]
PREFIXES = ("generator_ema.module.", "generator_ema.", "generator.", "")
FILTERS = (".kernel", ".resample_filter")  # the low-pass filter, which ours does not keep
STARTS = {"start": [], "input.input": COMMUNITY, "constant_input.input": COMMUNITY}


def read_generator(path: str | Path) -> tuple[State, Shape]:
    """The weights of a `StyleGAN2` in a file of any of these layouts, and how it is built.

    - Ours: `.safetensors`, or a run's checkpoint.
    - The community's `.pt`: a dict with the averaged generator as `g_ema`, or else `g`, and
      perhaps the mean of w as `latent_avg`.
    - NVIDIA's `.pkl`, of stylegan2-ada-pytorch or stylegan3's StyleGAN2: a pickled dict with
      `G_ema`. Without labels, and with skip connections as published. The clamp at 256 that its
      networks have for half precision is left out.
    - MMGeneration's and MMagic's `.pth`: `generator_ema` or else `generator`. Generators that they
      trained themselves may give BGR, which the file does not record.

    Noise maps and the mean of w that a file lacks are left out.

    Raises:
        WeightsError: the file is missing or damaged, names what is not admitted, or holds no such
            generator.
    """
    path = Path(path)
    state, rules = _nvidia(path) if path.suffix == ".pkl" else _torch(path)
    renamed = {renamed_by(rules, key): value for key, value in state.items()}
    filters = {key: value for key, value in renamed.items() if key.endswith(FILTERS)}
    for key, value in filters.items():
        _check_filter(value, f"{path}: '{key}'")
    state = {key: _plain(key, value) for key, value in renamed.items() if key not in filters}
    return state, _shape(state, path)


def renamed_by(rules: list[Rule], key: str) -> str:
    for pattern, ours in rules:
        key = re.sub(pattern, ours, key)
    return key


def _nvidia(path: Path) -> tuple[State, list[Rule]]:
    content = read_persistent(path)
    if not isinstance(content, dict) or "G_ema" not in content:
        raise WeightsError(f"{path} is no pickle of StyleGAN2: it has no 'G_ema'")
    try:
        state = tensors(content["G_ema"])
    except (WeightsError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"{path} is no pickle of StyleGAN2: {reason}") from None
    check_tensors(state, path, path.stat().st_size)
    if "mapping.embed.weight" in state:
        raise WeightsError(f"{path} holds a generator of labels, which StyleGAN2 does not take")
    if "synthesis.input.weight" in state:
        raise WeightsError(f"{path} holds a StyleGAN3, not a StyleGAN2")
    if "synthesis.b8.skip.weight" in state or "synthesis.b4.torgb.weight" not in state:
        raise WeightsError(f"{path} holds a generator without skip connections of images")
    return state, NVIDIA


def _torch(path: Path) -> tuple[State, list[Rule]]:
    content = read_weights(path) if path.suffix == ".safetensors" else read_foreign(path)
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    content, more = content if isinstance(content, dict) else {}, {}
    for name in ("g_ema", "g"):
        if isinstance(content.get(name), dict):
            if isinstance(content.get("latent_avg"), Tensor):
                more["mean_w"] = content["latent_avg"]
            content = content[name]
            break
    state = {k: v for k, v in content.items() if isinstance(k, str) and isinstance(v, Tensor)}
    for prefix in PREFIXES:
        for start, rules in STARTS.items():
            if prefix + start in state:
                own = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
                return {**own, **more}, rules
    known = ", ".join(f"'{start}'" for start in STARTS)
    raise WeightsError(f"{path} holds no StyleGAN2 generator: it has none of {known}")


def _plain(key: str, value: Tensor) -> Tensor:
    """The numbers in our dimensions; those of others differ by dimensions of size 1."""
    if key.endswith(".strength"):
        return value.reshape(()) if value.numel() == 1 else value
    if key.endswith(".noise"):
        return value.reshape(1, 1, *value.shape[-2:])
    if key == "start":
        return value.reshape(1, *value.shape[-3:])
    if key.endswith(".weight") and value.dim() == 5:
        return value.squeeze(0)
    return value.flatten() if key.endswith(".bias") or key == "mean_w" else value


def _check_filter(taps: Tensor, name: str) -> None:
    published = taps.new_tensor([1, 3, 3, 1])
    published = published if taps.dim() == 1 else torch.outer(published, published)
    same = taps.shape == published.shape
    if not same or not torch.allclose(taps / taps.sum(), published / published.sum()):
        raise WeightsError(f"{name} is another low-pass filter than StyleGAN2's [1, 3, 3, 1]")


def _shape(state: State, path: Path) -> Shape:
    """The dimensions, from the tensors' sizes. `load_into` checks all other tensors."""
    sizes = sorted({int(m[1]) for m in map(re.compile(r"blocks\.(\d+)\.").match, state) if m})
    layers = {int(m[1]) for m in map(re.compile(r"mapping\.(\d+)\.").match, state) if m}
    if not sizes or sizes != [4 << level for level in range(len(sizes))]:
        raise WeightsError(f"{path} holds no whole StyleGAN2 generator: it has sizes {sizes} px")
    try:
        channels = {size: len(state[f"blocks.{size}.conv.weight"]) for size in sizes}
        return Shape(channels, state["blocks.4.conv.style.weight"].shape[1], len(layers))
    except (KeyError, IndexError, TypeError) as error:
        raise WeightsError(f"{path} holds no whole StyleGAN2 generator: it lacks {error}") from None
