"""Corrects the common depth error of a trained model's faces by the shading of many photos.

Predicts the faces of CONFIG's training photos, and writes to OUT the model's weights with the map
of a `SharedDepthOffset`, a refiner called `common`. It uses no ground truth.

python tools/builders/photometric_stereo.py configs/unsup3d/unsup3d_heads_distilled.py WEIGHTS OUT
"""

import click
import torch
from mmengine.registry import DATASETS
from mmengine.runner import set_random_seed
from torch.utils.data import DataLoader, Subset, default_collate

from l2rkit.cli.common import quiet, user_errors
from l2rkit.config import load_config, load_model
from l2rkit.io.weights import model_weights, write_weights
from l2rkit.refine.photometric_stereo import photometric_stereo
from l2rkit.refine.shared_depth import CanonicalObservations, canonical_observations
from l2rkit.zoo import weight_file

AT_ONCE = 128  # photos
SHAPE = "refine.common.shape"


@click.command(help=__doc__)
@click.argument("config", type=click.Path())
@click.argument("weights", type=click.Path())
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--photos", default=8192, show_default=True, type=click.IntRange(256))
@click.option("--rounds", default=24, show_default=True, type=click.IntRange(1))
@user_errors
def main(config: str, weights: str, out: str, photos: int, rounds: int) -> None:
    quiet()
    set_random_seed(0)  # photos are mirrored at random
    cfg, path = load_config(config), weight_file(weights)
    model = load_model(cfg, path)
    found = DATASETS.build(cfg.train_dataloader.dataset)
    some = Subset(found, range(min(photos, len(found))))
    loader = DataLoader(some, AT_ONCE, collate_fn=default_collate)
    several = []
    with torch.no_grad(), click.progressbar(loader, label="photos") as batches:
        for batch in batches:
            photo = batch.get("clean", batch["photo"])  # `clean` if training degrades photos
            several.append(canonical_observations(photo, model.face(photo), model.render.rasterize))
    with click.progressbar(length=rounds, label="stereo") as progress:
        misfits = []
        shape = photometric_stereo(
            CanonicalObservations.joined(several),
            rounds,
            lambda at, misfit: (misfits.append(misfit), progress.update(1)),
        )
    state = model_weights(path)
    state[SHAPE] = shape + state.get(SHAPE, 0)  # the observations include an existing offset
    write_weights(state, out)
    click.echo(
        f"{out}: {len(some)} photos, misfit {misfits[0]:.4f} to {misfits[-1]:.4f}, "
        f"depth moved by {shape.std():.4f} (standard deviation)"
    )


if __name__ == "__main__":
    main()
