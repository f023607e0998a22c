"""Draws samples of a generator and, beside some of them, the most similar training photos.

WEIGHTS is the name of a shipped file, a run's checkpoint, or another file that StyleGAN2 reads.
With --config, the training photos of that config are searched, to see whether the generator
memorizes them.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS
from torch import Tensor

from l2rkit.cli.common import quiet, user_errors
from l2rkit.config import load_config
from l2rkit.errors import ConfigError
from l2rkit.losses import MobileNetFeatures
from l2rkit.priors import StyleGAN2
from l2rkit.priors.sampling import BATCH, samples
from l2rkit.viz import beside, nearest, sheet


def batches(photos: BaseDataset, count: int) -> Iterator[Tensor]:
    """The first `count` photos of a data set, in batches (B, 3, S, S)."""
    for start in range(0, count, BATCH):
        rows = range(start, min(count, start + BATCH))
        yield torch.stack([photos[index]["photo"] for index in rows])


@click.command(help=__doc__)
@click.argument("weights", type=click.Path())
@click.option("--config", type=click.Path(), help="Config whose training photos are searched.")
@click.option("--out", default="work_dirs/samples", show_default=True, help="A folder.")
@click.option("--count", default=64, show_default=True, type=click.IntRange(1))
@click.option("--compared", default=8, show_default=True, help="Samples compared with photos.")
@click.option("--photos", type=click.IntRange(1), help="Photos searched.  [default: all]")
@click.option("--truncation", default=1.0, show_default=True, help="0 gives the mean face only.")
@click.option("--seed", default=0, show_default=True)
@user_errors
def main(
    weights: str,
    config: str | None,
    out: str,
    count: int,
    compared: int,
    photos: int | None,
    truncation: float,
    seed: int,
) -> None:
    quiet()
    images = samples(StyleGAN2(weights), count, seed, truncation)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    sheet(images).save(folder / "samples.png")
    click.echo(f"wrote {folder / 'samples.png'}: {count} samples, truncation {truncation:g}")
    if config is None:
        return
    cfg = load_config(config)
    if "train_dataloader" not in cfg:
        raise ConfigError(f"{config} has no train_dataloader: no photos to search")
    known = DATASETS.build(cfg.train_dataloader.dataset)
    size = len(known) if photos is None else min(photos, len(known))
    chosen = images[:compared]
    found, far = nearest(chosen, batches(known, size), MobileNetFeatures().eval())
    beside(chosen, found).save(folder / "nearest.png")
    closest = ", ".join(f"{distance:.3f}" for distance in far[:, 0].tolist())
    click.echo(f"wrote {folder / 'nearest.png'}: nearest of {size} photos, at {closest}")


if __name__ == "__main__":
    main()
