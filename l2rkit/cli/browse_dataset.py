"""`l2rkit browse-dataset`: a picture of the samples that a config gives its model."""

from pathlib import Path
from typing import Any

import click

from .common import HELP, OVERRIDES, load_for_runner, user_errors
from .paths import writable_file

COLUMNS = 4  # samples in a row


@click.command(
    "browse-dataset",
    context_settings=HELP,
    short_help="Draws samples of a training set: input and target.",
)
@click.argument("config", type=click.Path())
@click.option("--out", default="dataset.png", show_default=True, type=click.Path(path_type=Path))
@click.option("--photos", default=24, show_default=True, type=click.IntRange(1, 1000))
@click.option("--seed", default=0, show_default=True, help="Seed of photos and degradations.")
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="train")
@OVERRIDES
@user_errors
def browse_dataset(
    config: str, out: Path, photos: int, seed: int, split: str, cfg_options: dict[str, Any]
) -> None:
    """Draws samples of CONFIG's pipeline: input and target side by side.

    Without degradation, the input is the target and is drawn once. Synthetic heads are rendered
    only if the sheet shows their person and they are not in the cache.
    """
    from ..errors import ConfigError
    from ..io.files import png, write_atomic
    from ..io.names import check_ours

    cfg = load_for_runner(config, cfg_options, "none")
    loader = cfg.get(f"{split}_dataloader")
    if loader is None:
        raise ConfigError(f"{config} has no {split}_dataloader: nothing to browse")
    writable_file(out)
    check_ours(out)
    from mmengine.registry import DATASETS
    from mmengine.runner import set_random_seed

    from ..viz.browse import chosen, samples_sheet

    set_random_seed(seed)
    dataset = DATASETS.build(loader.dataset)
    samples = [dataset[index] for index in chosen(len(dataset), photos, seed)]
    write_atomic(out, png(samples_sheet(samples, COLUMNS)))
    click.echo(f"{out}: {len(samples)} of {len(dataset)} samples")
