"""Measures face verification by the identity networks, with two photos of each person.

Prints the area under the ROC curve of genuine against impostor pairs, and the mean cosines of both;
then again with the second photo of each pair degraded. Photos are those of a manifest in
OPENFACES_ROOT (docs/datasets.md), aligned, 128 px.
"""

from collections import defaultdict

import click
import numpy as np
import torch
from torch import Tensor

from l2rkit.cli.common import user_errors
from l2rkit.data import CropByLandmarks, LoadPhoto, ManifestPhotos
from l2rkit.data.transforms import to_tensor
from l2rkit.degrade import DegradationLevel
from l2rkit.errors import DataError
from l2rkit.identity import FaceEmbedding, FaceRes

SIZE = 128  # px


def pairs(photos: ManifestPhotos, only: str) -> list[list[int]]:
    """Rows of people with two photos whose paths contain `only`, in the manifest's order.

    Raises:
        DataError: there are fewer than two such people.
    """
    rows = defaultdict(list)
    for row, person in enumerate(photos.people() if photos.people() is not None else ()):
        if only in photos.paths[photos.data_list[row]].decode():
            rows[int(person)].append(row)
    found = [both for both in rows.values() if len(both) == 2]
    if len(found) < 2:
        raise DataError(f"{photos.manifest} has no two people with two photos in '{only}' each")
    return found


def roc_area(same: Tensor, others: Tensor) -> float:
    """The area under the ROC curve: the share of pairs with same > others; ties count half."""
    difference = same[:, None] - others
    return ((difference > 0).double().mean() + (difference == 0).double().mean() / 2).item()


@torch.no_grad()
def codes(network: torch.nn.Module, crops: list[np.ndarray]) -> Tensor:
    """(N, D): the codes of crops (S, S, 3) uint8 or float32 in [0, 1]."""
    return torch.cat([network(some) for some in torch.stack(list(map(to_tensor, crops))).split(32)])


@click.command(help=__doc__)
@click.option("--only", default="london", show_default=True, help="Paths must contain this.")
@click.option(
    "--level", default="severe", show_default=True, help="Degradation of the second photos."
)
@click.option("--seed", default=0, show_default=True)
@user_errors
def main(only: str, level: str, seed: int) -> None:
    photos = ManifestPhotos(pipeline=[LoadPhoto(), CropByLandmarks(SIZE)])
    rows, degrade = pairs(photos, only), DegradationLevel(level)
    first, second = ([photos[row]["img"] for row in column] for column in zip(*rows))
    rng = np.random.default_rng(seed)
    worse = [degrade.on_image(np.float32(crop) / 255, rng) for crop in second]
    click.echo(f"{len(rows)} people with two photos in '{only}'")
    click.echo(f"{'network':14} {'second photo':12} {'AUC':>7} {'same':>7} {'others':>7}")
    for network in (FaceEmbedding(), FaceRes()):
        one = codes(network, first)
        for name, crops in (("clean", second), (level, worse)):
            cosines = one @ codes(network, crops).T
            own = torch.eye(len(cosines), dtype=torch.bool)
            same, others = cosines[own], cosines[~own]
            figures = (roc_area(same, others), same.mean().item(), others.mean().item())
            words = f"{type(network).__name__:14} {name:12} {figures[0]:7.5f}"
            click.echo(f"{words} {figures[1]:7.3f} {figures[2]:7.3f}")


if __name__ == "__main__":
    main()
