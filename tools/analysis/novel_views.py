"""Compares how much two methods' novel views look like photos, on test heads of version 2.

Each of `--people` is seen from three sides, and each photo's face is rendered in the views of the
other two. Prints the Fréchet distance of these renderings from the photos (`cross_fmd` of
`CrossViewRenderErrors`) for each method, and the difference with a 95 % interval by bootstrap over
people. A method is a config and its weights; `-` stands for the shipped ones.
"""

import click
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from l2rkit.cli.common import quiet, user_errors
from l2rkit.config import load_config, load_model
from l2rkit.data import Degrade, DetailedTurnedHeads, PackPhoto
from l2rkit.degrade import DegradationLevel
from l2rkit.leaderboard.paired import PERCENTILES
from l2rkit.metrics import CrossViewRenderErrors
from l2rkit.metrics.generator import frechet
from l2rkit.zoo import shipped_weights, weight_file

DRAWS = 100  # each takes two distances, of half a second


@click.command(help=__doc__)
@click.argument("config", type=click.Path())
@click.argument("weights")
@click.argument("other_config", type=click.Path())
@click.argument("other_weights")
@click.option("--level", default="severe", show_default=True)
@click.option("--people", default=100, show_default=True, type=click.IntRange(4))
@user_errors
@torch.no_grad()
def main(
    config: str, weights: str, other_config: str, other_weights: str, level: str, people: int
) -> None:
    quiet()
    pipeline = [
        dict(type=Degrade, degradation=dict(type=DegradationLevel, name=level), seed=0),
        dict(type=PackPhoto),
    ]
    heads = DetailedTurnedHeads(people=people, fields=("img",), pipeline=pipeline)
    looks = []
    for name, given in ((config, weights), (other_config, other_weights)):
        path = shipped_weights(name) if given == "-" else weight_file(given)
        model = load_model(load_config(name), path)
        metric = CrossViewRenderErrors()
        with click.progressbar(DataLoader(heads, 30), label="photos") as batches:
            for batch in batches:
                (scene,) = model.predict(batch["photo"], torch.arange(len(batch["photo"])))
                metric.process(batch, [scene])
        figures = metric.compute_metrics(metric.results)
        click.echo(f"{name}: FMD {figures['cross_fmd']:.3f}")
        looks.append(metric.looks)
    low, high = interval(*looks, people)
    click.echo(f"the first minus the second: 95 % interval [{low:.3f}, {high:.3f}]")


def interval(first: list[Tensor], second: list[Tensor], people: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two methods' distances, over people.

    first, second: descriptions of photos and of renderings, (people R, D) each, ordered by person.
    """
    draws, apart = np.random.default_rng(0), []
    for _ in range(DRAWS):
        who = torch.from_numpy(draws.integers(0, people, people))
        chosen = [
            [look.unflatten(0, (people, -1))[who].flatten(0, 1) for look in looks]
            for looks in (first, second)
        ]
        apart.append(frechet(*chosen[0]) - frechet(*chosen[1]))
    low, high = np.percentile(apart, PERCENTILES)
    return float(low), float(high)


if __name__ == "__main__":
    main()
