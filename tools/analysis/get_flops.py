"""Prints the number of weights and FLOPs per photo of each part of a model.

FLOPs are those that torch counts: convolutions, matrix products and attention, where a
multiply-add counts two. Element-wise operations and the CPU renderer are not included.
"""

from collections.abc import Iterator

import click
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from l2rkit.cli.common import OVERRIDES, import_mmengine, user_errors


@click.command(help=__doc__)
@click.argument("config", type=click.Path())
@click.option("--size", type=click.IntRange(8), help="Pixels of the photo.  [default: the model's]")
@OVERRIDES
@user_errors
def main(config: str, size: int | None, cfg_options: dict) -> None:
    import_mmengine()
    from l2rkit.config import load_config, load_model

    model = load_model(load_config(config, cfg_options))
    side = size or model.image_size
    rows = [(name, *cost) for name, cost in costs(model, side).items()]
    click.echo(f"{config}, one photo of {side} px")
    click.echo(f"{'part':24} {'weights M':>10} {'that learn':>10} {'GFLOP':>9}")
    for name, weights, learn, flops in rows:
        click.echo(f"{name:24} {weights / 1e6:10.3f} {learn / 1e6:10.3f} {flops / 1e9:9.3f}")


@torch.no_grad()
def costs(model: nn.Module, side: int) -> dict[str, tuple[int, int, int]]:
    """{part: (weights, trainable weights, FLOPs for one photo)}, `whole` at the end."""
    photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as counter:
        model(photo)
    counted = counter.get_flop_counts()
    found = {}
    for name, part in parts_of(model):
        flops = sum(counted.get(f"{type(model).__name__}.{name}", {}).values())
        if any(True for _ in part.parameters()) or flops:
            found[name] = (*_weights(part), flops)
    return found | {"whole": (*_weights(model), counter.get_total_flops())}


def parts_of(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts of a model by name; a dict of parts gives each of them."""
    for name, part in model.named_children():
        inside = part.items() if isinstance(part, nn.ModuleDict) else ()
        yield from ((f"{name}.{key}", one) for key, one in inside)
        if not isinstance(part, nn.ModuleDict):
            yield name, part


def _weights(part: nn.Module) -> tuple[int, int]:
    weights = list(part.parameters())
    return sum(w.numel() for w in weights), sum(w.numel() for w in weights if w.requires_grad)


if __name__ == "__main__":
    main()
