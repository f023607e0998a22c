"""Fits l2rkit/landmarks/correction.npz, the coefficients of `LandmarkCorrection`.

Inputs are the training photos of a manifest (docs/datasets.md), degraded as in training and
restored by `FaceRestorer` with `SelfEnsemble`; targets are FaceMesh's landmarks of the clean
photos. A first fit holds out every tenth photo, to report the improvement; the final fit uses all.
"""

from pathlib import Path

import click
import numpy as np
import torch
from mmengine.config import Config
from mmengine.utils import track_iter_progress
from torch.utils.data import DataLoader

import l2rkit.landmarks
from l2rkit.data import (
    CropByLandmarks,
    Degrade,
    FindLandmarks,
    LoadPhoto,
    ManifestPhotos,
    PackPhoto,
)
from l2rkit.decompose.face_mesh import to_pictures
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.correction import LandmarkCorrection, terms
from l2rkit.landmarks.pose import canonical_points
from l2rkit.restore import FaceRestorer, SelfEnsemble

SIZE, HELD_BACK = 128, 10
SHAPES, FEATURES = 60, 100  # principal components
RIDGE = 1000.0  # strength of the ridge, in samples


@click.command(help=__doc__)
@click.option("--out", default=Path(l2rkit.landmarks.__path__[0], "correction.npz"), type=Path)
@torch.no_grad()
def main(out: Path) -> None:
    rows = collected()
    table = {key: torch.cat([row[key] for row in rows]).double() for key in KEYS}
    held = torch.arange(len(table["seen"])) % HELD_BACK == 0
    some = fitted({key: values[~held] for key, values in table.items()})
    report({key: values[held] for key, values in table.items()}, some)
    np.savez_compressed(out, **rounded(fitted(table)))
    click.echo(f"{out}: {out.stat().st_size} bytes")


def rounded(fit: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The arrays as shipped: matrices in float16, vectors in float32."""
    kinds = {name: np.float16 if value.dim() > 1 else np.float32 for name, value in fit.items()}
    return {name: value.numpy().astype(kinds[name]) for name, value in fit.items()}


KEYS = ("view", "points", "true_view", "true_points", "seen")


def collected() -> list[dict[str, torch.Tensor]]:
    """For each batch: the found and the true view and points, and the restorer's features."""
    degradation = Config.fromfile("configs/_base_/datasets/people_degraded.py")["degradation"]
    find, restore, rows = FaceMesh(), SelfEnsemble(FaceRestorer()).eval(), []
    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=SIZE),
        dict(type=FindLandmarks, cache="data/landmarks"),
        dict(type=Degrade, degradation=degradation, seed=0),
        dict(type=PackPhoto),
    ]
    photos = ManifestPhotos(split="train", pipeline=pipeline)
    loader = DataLoader(photos, batch_size=16, num_workers=1)
    for batch in track_iter_progress((loader, len(loader))):
        photo = batch["photo"]
        restored = restore(photo)
        found = torch.from_numpy(find(to_pictures(restored)))
        view, points = canonical_points(found.double(), SIZE)
        true_view, true_points = canonical_points(batch["landmarks_3d"].double(), SIZE)
        seen = restore.change_features(photo, restored)
        row = dict(zip(KEYS, (view, points, true_view, true_points, seen)))
        rows.append({key: value.float() for key, value in row.items()})
    return rows


def fitted(table: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The buffers of `LandmarkCorrection`."""
    points, true = table["points"].flatten(1), table["true_points"].flatten(1)
    mean = true.mean(0)
    components, spread = principal(points - mean, SHAPES)
    view_spread = table["true_view"].std(0).clamp(min=1e-3)
    shape = (points - mean) @ components.mT / spread
    change, features = table["seen"][:, :1], table["seen"][:, 1:]
    known = terms(shape, table["view"] / view_spread, change)
    middle = features.mean(0)
    axes, scale = principal(features - middle, FEATURES)
    project = axes.mT / scale / 2
    known = torch.cat([torch.ones_like(change), known, (features - middle) @ project], 1)
    moves = torch.cat(
        [
            (table["true_view"] - table["view"]) / view_spread,
            (true - points) @ components.mT / spread,
        ],
        1,
    )
    squares = known.mT @ known + RIDGE * torch.eye(known.shape[1]).double()
    weights = torch.linalg.solve(squares, known.mT @ moves)
    of_features = project @ weights[-FEATURES:]
    return dict(
        mean=mean,
        components=components,
        spread=spread,
        view_spread=view_spread,
        bias=weights[0] - middle @ of_features,
        of_landmarks=weights[1:-FEATURES],
        of_features=of_features,
    )


def principal(rows: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The first principal axes (count, D) of rows (N, D), and the standard deviations (count,)."""
    values, vectors = torch.linalg.eigh(rows.mT @ rows / len(rows))
    return vectors[:, -count:].mT.flip(0), values[-count:].flip(0).clamp(min=1e-12).sqrt()


def report(table: dict[str, torch.Tensor], fit: dict[str, torch.Tensor]) -> None:
    """Prints the errors before and after the correction, on held-out photos."""
    correct = LandmarkCorrection(None)
    correct.set({name: torch.from_numpy(v).double() for name, v in rounded(fit).items()})
    true_view, true = table["true_view"], table["true_points"]
    deviation = (true - true.mean(0)).square().sum()
    after = correct(table["view"], table["points"], table["seen"])
    for what, (view, points) in (
        ("found", (table["view"], table["points"])),
        ("corrected", after),
    ):
        pitch, yaw = (view - true_view)[:, :2].abs().rad2deg().mean(0).tolist()
        explained = 1 - (points - true).square().sum() / deviation
        click.echo(f"{what}: yaw {yaw:.3f} deg, pitch {pitch:.3f} deg, explained {explained:.3f}")


if __name__ == "__main__":
    main()
