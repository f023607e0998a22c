"""Fits what stands in l2rkit/landmarks/occlusion.npz: see `l2rkit.landmarks.occlusion`.

On the training photos of a manifest (docs/datasets.md), as they are, made bad, and with things
painted over the face, of which every third is made bad as well. Nothing of `val` or `test` is seen.
"""

from pathlib import Path

import click
import cv2
import numpy as np
import torch
from mmengine.utils import track_iter_progress
from torch.nn.functional import binary_cross_entropy_with_logits

from l2rkit.data import CropByLandmarks, FindLandmarks, LoadPhoto, ManifestPhotos
from l2rkit.degrade import DegradationLevel
from l2rkit.degrade.degradation import rng_of
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.occlusion import FILE, SIZE, features, greys
from l2rkit.landmarks.painted import PAINTERS

EACH = 700  # photos of each kind
COMPONENTS = 12
RIDGE = 0.02  # held towards no weights at all; of 0.0001 to 0.03 the best on `val`
LEVELS = ("clean", "severe", "mild")
KINDS = (*PAINTERS, "plain", "severe", "severe again")


@click.command(help=__doc__)
@click.option("--out", default=FILE, type=Path, show_default="the shipped one")
def main(out: Path) -> None:
    cv2.setNumThreads(1)
    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=SIZE),
        dict(type=FindLandmarks, cache="data/landmarks"),
    ]
    photos, find = (
        ManifestPhotos(split="train", pipeline=pipeline),
        FaceMesh(rounds=2, mirrored=False),
    )
    seen = {}
    for number, kind in enumerate(KINDS):
        click.echo(kind)
        some = [
            changed(photos[(7 * n + 700 * number) % len(photos)], kind, n, number)
            for n in track_iter_progress(range(EACH))
        ]
        points = find(some)
        seen[kind] = greys(some, points), find.presence(some, points)
    np.savez_compressed(out, **rounded(fitted(seen)))
    click.echo(f"{out}: {out.stat().st_size} bytes")


def changed(sample: dict, kind: str, number: int, of_kind: int) -> np.ndarray:
    """A crop (S, S, 3) uint8, painted on by its number, and made bad."""
    rng, photo = np.random.default_rng(10**6 * of_kind + number), sample["img"]
    if kind in PAINTERS:
        photo = PAINTERS[kind](photo, sample["landmarks_3d"], rng)
    level = "severe" if kind.startswith("severe") else LEVELS[number % len(LEVELS)]
    if level == "clean":
        return photo
    bad = DegradationLevel(level).on_image(
        np.float32(photo) / 255, rng_of(int(rng.integers(10**6)))
    )
    return np.rint(bad * 255).astype(np.uint8)


def fitted(seen: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """The numbers of the file, of greys (N, 468) and presence (N,) by kind."""
    faces = np.concatenate([grey for kind, (grey, _) in seen.items() if kind not in PAINTERS])
    mean = faces.mean(0)
    _, values, axes = np.linalg.svd(faces - mean, full_matrices=False)
    axes = axes[:COMPONENTS]
    known = dict(
        mean=mean,
        spread=faces.std(0),
        components=axes,
        component_spread=values[:COMPONENTS] / np.sqrt(len(faces)),
        rest=(faces - mean - (faces - mean) @ axes.T @ axes).std(0),
    )
    terms = torch.from_numpy(np.concatenate([features(*pair, known) for pair in seen.values()]))
    hidden = torch.cat(
        [torch.full((len(grey),), float(kind in PAINTERS)) for kind, (grey, _) in seen.items()]
    ).double()
    share = torch.where(hidden > 0, 0.5 / hidden.sum(), 0.5 / (1 - hidden).sum())
    numbers = torch.zeros(terms.shape[1] + 1, dtype=torch.double, requires_grad=True)
    steps = torch.optim.LBFGS(
        [numbers], max_iter=200, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        steps.zero_grad()
        odds = terms @ numbers[:-1] + numbers[-1]
        each = binary_cross_entropy_with_logits(odds, hidden, reduction="none")
        total = (share * each).sum() + RIDGE * numbers[:-1].square().sum()
        total.backward()
        return total

    steps.step(loss)
    found = numbers.detach().numpy()
    return known | dict(weights=found[:-1], bias=found[-1:])


def rounded(known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As it is shipped: matrices with 16 bits a number, the rest with 32."""
    return {k: v.astype(np.float16 if v.ndim > 1 else np.float32) for k, v in known.items()}


if __name__ == "__main__":
    main()
