"""Times a config's training step, and how much of it the renderer takes.

Photos are random: the time does not depend on what is on them.
"""

import resource
import time
from collections.abc import Callable

import click
import torch
from torch import Tensor

from l2rkit.config import load_config
from l2rkit.face import Face, Light


@click.command(help=__doc__)
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.option("--batch", default=64, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--repeats", default=10, show_default=True)
def main(config: str, batch: int, threads: int, repeats: int) -> None:
    torch.set_num_threads(threads)
    described = dict(load_config(config).model)
    model = described.pop("type")(**described).train()
    size = model.decompose.image_size
    photo = torch.rand(batch, 3, size, size)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(model.loss(photo).values())).sum().backward()
        optimizer.step()

    face = detached(model.face(photo))

    def render() -> None:
        for turned in (face, face.mirrored()):
            model.render(turned).image.mean().backward()

    whole, renderer = median_time(step, repeats), median_time(render, repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    click.echo(f"{config}, batch {batch}, {threads} threads, {torch.__version__}")
    click.echo(f"step      {whole * 1000:8.1f} ms   {batch / whole:8.1f} images/s")
    click.echo(f"renderer  {renderer * 1000:8.1f} ms   {renderer / whole:8.1%} of the step")
    click.echo(f"memory    {peak:8.2f} GiB at the peak, the process as a whole")


def detached(face: Face) -> Face:
    """The face with leaves that take gradients."""

    def leaf(value: Tensor) -> Tensor:
        return value.detach().requires_grad_()

    light = Light(*(leaf(value) for value in vars(face.light).values()))
    return Face(leaf(face.depth), leaf(face.albedo), light, leaf(face.view))


def median_time(call: Callable[[], None], repeats: int) -> float:
    """Seconds a call takes, the median after two calls that do not count."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times[2:])[repeats // 2]


if __name__ == "__main__":
    main()
