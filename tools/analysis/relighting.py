"""How much of the photos' light a method takes out of its albedo, on held-out photos of people.

A symmetric face looks like its mirror image once its light is mirrored. So the face of each photo
is relit with its light mirrored, and compared with the mirror image of the face as it was: blurred
luminance on the canonical face, where both halves are visible. Prints the mean absolute difference
in percent before and after relighting, and its reduction with a 95 % interval, for all photos and
for the quarter that is lit most from one side. Photos are the test split of a manifest in
OPENFACES_ROOT (docs/datasets.md).
"""

from dataclasses import replace

import click
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from l2rkit.cli.common import quiet, user_errors
from l2rkit.config import load_config, load_model
from l2rkit.data import CropByLandmarks, Degrade, LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.degrade import DegradationLevel
from l2rkit.geometry import normals
from l2rkit.landmarks.surface import mean_face_region
from l2rkit.leaderboard.paired import PERCENTILES, drawn
from l2rkit.ops.masked import masked_blur, masked_means
from l2rkit.ops.transfer import constant
from l2rkit.render.shading import shade
from l2rkit.render.unwrap import visibility
from l2rkit.structures import MIRRORED_LIGHT, Face, Light
from l2rkit.zoo import shipped_weights, weight_file

SIZE = 128  # px of photos
BROAD = 1 / 16  # standard deviation of the blur, in widths of the face


@click.command(help=__doc__)
@click.argument("config", type=click.Path())
@click.argument("weights", type=click.Path(), required=False)
@click.option("--level", default="clean", show_default=True)
@click.option("--photos", type=click.IntRange(4), help="So many.  [default: all]")
@user_errors
@torch.no_grad()
def main(config: str, weights: str | None, level: str, photos: int | None) -> None:
    quiet()
    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=SIZE),
        dict(type=Degrade, degradation=dict(type=DegradationLevel, name=level), seed=0),
        dict(type=PackPhoto),
    ]
    loader = DataLoader(ManifestPhotos(split="test", pipeline=pipeline, indices=photos), 20)
    path = weight_file(weights) if weights else shipped_weights(config)
    model = load_model(load_config(config), path)
    region = mean_face_region(SIZE)
    with click.progressbar(loader, label="photos") as batches:
        found = [differences(model.face(batch["photo"]), region) for batch in batches]
    before, after = torch.cat(found, 1).double().numpy()
    one_sided = before >= np.quantile(before, 0.75)
    for name, chosen in (("all", np.full(len(before), True)), ("one-sided", one_sided)):
        click.echo(f"{name}: {len(before[chosen])} photos, {said(before[chosen], after[chosen])}")


def differences(face: Face, region: Tensor) -> Tensor:
    """(2, B): mean difference from the mirror image, of the face and of the relit face, in percent.

    region (1, 1, S, S): 1 on the face.
    """
    across = normals(face.depth)
    shown = visibility(face.depth, face.view, face.size) * region
    shown = shown * shown.flip(-1)
    packed = face.light.packed() * constant(MIRRORED_LIGHT, face.depth)
    relit = replace(face, light=Light(packed[:, 0], packed[:, 1], packed[:, 2:]))
    looks = [
        masked_blur(
            shade(each.albedo, across, each.light).mean(1, keepdim=True), shown, BROAD * face.size
        )
        for each in (face, relit)
    ]
    mirrored = looks[0].flip(-1)
    return torch.stack([100 * masked_means((look - mirrored).abs(), shown) for look in looks])


def said(before: np.ndarray, after: np.ndarray) -> str:
    """Both means (N,), and the reduction in percent of the first with its interval."""
    draws = drawn(len(before))
    low, high = np.percentile(100 * (1 - draws @ after / (draws @ before)), PERCENTILES)
    mean = 100 * (1 - after.mean() / before.mean())
    return (
        f"{before.mean():.2f} -> {after.mean():.2f}, less by {mean:.0f} [{low:.0f}, {high:.0f}] %"
    )


if __name__ == "__main__":
    main()
