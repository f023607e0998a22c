"""Times our StyleGAN2 against the published implementation, in alternating pairs of one run.

The generator of CONFIG, with random weights, runs as in training (forward and backward) and as in
sampling. The same weights then run as in the published implementation: per-sample modulated weights
as groups of one convolution, and one filter of 16 taps. A third variant has the groups with our
filters. All must give the same images and gradients before they are timed. Our weights are
channels-last, as in training; the others are not, as published. Discriminator and regularization
are not included. Ratios are those of pairs, which other load on the machine slows equally.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from unittest.mock import patch

import click
import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

from l2rkit.cli.common import user_errors
from l2rkit.config import load_config
from l2rkit.errors import ConfigError, UserError
from l2rkit.leaderboard.results import hardware
from l2rkit.ops.precision import in_precision
from l2rkit.priors import StyleGAN2
from l2rkit.priors.layers import EPSILON, TAPS, blur

CONFIG = Path(__file__).parents[2] / "configs" / "priors" / "stylegan2_64_openfaces.py"
TOLERANCE = 1e-3  # of the largest value


def by_groups(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    up: bool = False,
    demodulate: bool = True,
    filtered: Callable[..., Tensor] = blur,
) -> Tensor:
    """`layers.modulated` as in the paper's eqs. 1 and 3, with one group per sample."""
    batch, cin, height, width = x.shape
    own = weight * style[:, None, :, None, None]
    if demodulate:
        own = own * (own.square().sum((2, 3, 4), keepdim=True) + EPSILON).rsqrt()
    x = x.reshape(1, batch * cin, height, width)
    if not up:
        x = conv2d(x, own.flatten(0, 1), padding=weight.shape[-1] // 2, groups=batch)
        return x.unflatten(1, (batch, -1))[0]
    x = conv_transpose2d(x, own.transpose(1, 2).flatten(0, 1), stride=2, groups=batch)
    return filtered(x.unflatten(1, (batch, -1))[0], margin=1, gain=2)


def blur_at_once(x: Tensor, margin: int, gain: float = 1) -> Tensor:
    """`layers.blur` with one filter of 16 taps, each channel as a separate image."""
    taps = gain * x.new_tensor(TAPS)
    planes = pad(x.flatten(0, 1)[:, None], [margin] * 4)
    return conv2d(planes, torch.outer(taps, taps)[None, None])[:, 0].unflatten(0, x.shape[:2])


def enlarged_at_once(x: Tensor) -> Tensor:
    """`layers.enlarged` with zeros between pixels, then filtered."""
    batch, count, height, width = x.shape
    sparse = pad(x[..., None, :, None], (0, 1, 0, 0, 0, 1)).reshape(
        batch, count, 2 * height, 2 * width
    )
    return blur_at_once(pad(sparse, (1, 0, 1, 0)), margin=1, gain=2)


LAYERS, BLOCKS = "l2rkit.priors.layers", "l2rkit.priors.generator"
# The replaced functions of each variant.
WAYS = {
    "in groups": {f"{LAYERS}.modulated": by_groups},
    "in groups, 16 taps": {
        f"{LAYERS}.modulated": partial(by_groups, filtered=blur_at_once),
        f"{BLOCKS}.enlarged": enlarged_at_once,
    },
}


@contextmanager
def computed(way: str) -> Iterator[None]:
    """A context in which generators compute in one of `WAYS`."""
    with ExitStack() as stack:
        for name, function in WAYS[way].items():
            stack.enter_context(patch(name, function))
        yield


def trained(prior: StyleGAN2, codes: Tensor, precision: str | None) -> tuple[Tensor, ...]:
    """Image and gradients of a training step with fixed noise."""
    with in_precision(precision, codes):
        image = prior(codes, space="w", clamp=False)[0].float()
    used = [w for name, w in prior.named_parameters() if not name.startswith("mapping.")]
    return image, *torch.autograd.grad(image.square().mean(), used)


@torch.no_grad()
def sampled(prior: StyleGAN2, codes: Tensor) -> tuple[Tensor]:
    return (prior(codes, space="w")[0],)


TASKS = {
    "training": partial(trained, precision=None),
    "training, bfloat16": partial(trained, precision="bfloat16"),
    "sampling": sampled,
}


def compare(ours: StyleGAN2, theirs: StyleGAN2, way: str, codes: Tensor) -> None:
    """Checks, in float32, that images and gradients are the same both ways.

    Raises:
        UserError: they are not.
    """
    expected = TASKS["training"](ours, codes)
    with computed(way):
        got = TASKS["training"](theirs, codes)
    far = max(
        ((a - b).abs().max() / a.abs().max().clamp(min=EPSILON)).item()
        for a, b in zip(expected, got)
    )
    if far > TOLERANCE:
        raise UserError(f"StyleGAN2 {way} gives something else, by {far:.1e} of the largest value")


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def pairs(ours: Callable, theirs: Callable, way: str, repeats: int) -> Tensor:
    """(repeats, 2): seconds of both, in alternating order, after a warm-up pair."""
    rows = []
    for index in range(repeats + 1):
        row = {}
        for first in (index % 2, 1 - index % 2):
            if first:
                with computed(way):
                    row[1] = timed(theirs)
            else:
                row[0] = timed(ours)
        rows.append([row[0], row[1]])
    return torch.tensor(rows[1:])


@click.command(help=__doc__)
@click.argument("config", type=click.Path(), default=str(CONFIG))
@click.option("--batch", default=16, show_default=True, type=click.IntRange(1), help="Images.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1))
@click.option("--repeats", default=9, show_default=True, type=click.IntRange(1), help="Pairs.")
@user_errors
def main(config: str, batch: int, threads: int, repeats: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    described = load_config(config).model.get("generator")
    if described is None or described["type"] is not StyleGAN2:
        raise ConfigError(f"{config} trains no StyleGAN2: its model has no such generator")
    theirs = StyleGAN2(**{k: v for k, v in described.items() if k != "type"})
    ours = deepcopy(theirs).to(memory_format=torch.channels_last)  # as the configs train
    with torch.no_grad():
        codes = ours.mapping(torch.randn(batch, ours.latent))
    codes = codes[:, None].repeat(1, ours.layers, 1)
    click.echo(f"torch {torch.__version__}, {threads} threads, batch {batch}, {hardware()}\n")
    click.echo("| ms | ours | the other way | ratio | of pairs, its quartiles |")
    click.echo("|---|---|---|---|---|")
    for way in WAYS:
        compare(ours, theirs, way, codes[:4])
        for name, task in TASKS.items():
            seconds = pairs(partial(task, ours, codes), partial(task, theirs, codes), way, repeats)
            one, other = (1000 * seconds.median(0).values).tolist()
            ratios = seconds[:, 1] / seconds[:, 0]
            low, middle, high = ratios.quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
            click.echo(
                f"| {name}, {way} | {one:.0f} | {other:.0f} | {middle:.2f} "
                f"| {low:.2f} to {high:.2f} |"
            )


if __name__ == "__main__":
    main()
