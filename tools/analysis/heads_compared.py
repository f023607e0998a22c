"""Compares the two versions of the synthetic heads: identity, detail and speed.

    python tools/analysis/heads_compared.py --people 100

For people of a split, at 128 px and two photos of each: rank-1 accuracy of the second photo among
all first photos, by `FaceRes`; the mean angle of true fine normals (`smooth_fine_normal` of
FineNormalErrors), mostly at eyes, lips and ears; and the number of 64 px photos rendered per second
of processor time. For version 2 also the angle by which relief turns the face's normals: the mean
and the 90th percentile over pixels.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import click
import numpy as np
import torch

from l2rkit.data.heads import HeadModel
from l2rkit.data.heads.character import random_character, texture_side
from l2rkit.data.heads.dataset import SPLITS, make_images
from l2rkit.data.heads.detailed import detailed_images
from l2rkit.data.heads.portrait import render_portrait
from l2rkit.data.heads.portrait_scene import random_portrait_capture
from l2rkit.data.heads.render import BACKGROUND_DEPTH
from l2rkit.identity import FaceRes
from l2rkit.metrics.fine_normal import fine_errors
from l2rkit.metrics.retrieval import ranked

SIZE, BATCH, EACH = 128, 32, 2
VERSIONS: dict[str, Callable] = {"1": make_images, "2": detailed_images}


def codes_of(photos: np.ndarray, judge: FaceRes) -> torch.Tensor:
    """(N, K): codes of photos (N, 3, S, S)."""
    with torch.no_grad():
        return torch.cat([judge(part) for part in torch.from_numpy(photos).split(BATCH)])


def tensors(samples: list[dict], field: str) -> torch.Tensor:
    """(N, C, S, S) float32 of a field (S, S) or (S, S, C)."""
    planes = [np.atleast_3d(sample[field]).transpose(2, 0, 1) for sample in samples]
    return torch.from_numpy(np.stack(planes)).float()


def pace(make: Callable, split: str, photos: int) -> float:
    """Photos of 64 px per second of processor time, with four of each person."""
    list(make(range(8), 0, split, 64))
    begin = time.process_time()
    list(make(range(1000, 1000 + photos), 0, split, 64))
    return photos / (time.process_time() - begin)


def relief(split: str, size: int, people: int, seed: int) -> tuple[float, float]:
    """Degrees by which relief turns normals: mean, and the mean over people of 90th percentiles.

    Over frontal neutral faces, where depth is below 1.0.
    """
    model, found = HeadModel.load(), []
    for number in range(people):
        rng = np.random.default_rng([seed, number])
        person = random_character(model, rng, split, texture_side(size))
        scene = random_portrait_capture(model, rng)
        scene = replace(scene, action=0 * scene.action, view=0 * scene.view)
        flat = replace(person, height=0 * person.height)
        rough, smooth = (render_portrait(model, each, scene, size) for each in (person, flat))
        cosine = (rough["normal"] * smooth["normal"]).sum(-1).clip(-1, 1)
        angle = np.degrees(np.arccos(cosine))[smooth["depth"] < 1.0]
        found.append((angle.mean(), np.quantile(angle, 0.9)))
    mean, strong = np.mean(found, 0)
    return float(mean), float(strong)


@click.command(help=__doc__)
@click.option("--people", default=100, show_default=True, type=click.IntRange(2))
@click.option("--split", default="test", show_default=True, type=click.Choice(list(SPLITS)))
@click.option("--seed", default=0, show_default=True)
def main(people: int, split: str, seed: int) -> None:
    judge = FaceRes()
    for version, make in VERSIONS.items():
        samples = list(make(range(people * EACH), seed, split, SIZE, EACH))
        codes = codes_of(tensors(samples, "img").numpy(), judge)
        rank1, cosine = ranked(codes[1::EACH], codes[::EACH])
        impostor = codes[1::EACH] @ codes[::EACH].T
        others = impostor[~torch.eye(people, dtype=torch.bool)].mean()
        mask = (tensors(samples, "depth") < BACKGROUND_DEPTH).float()
        detail = fine_errors(*[tensors(samples, "normal")] * 2, mask)[1].mean()
        click.echo(
            f"version {version}: rank-1 {rank1.mean():.1f} % of {people}, cosine "
            f"{cosine.mean():.3f} (others {others:.3f}), fine normals {detail:.2f} deg, "
            f"{pace(make, split, 200):.0f} photos of 64 px per CPU second"
        )
    for size in (64, 128, 256):
        mean, strong = relief(split, size, min(people, 50), seed)
        click.echo(f"relief at {size} px: {mean:.2f} deg, strongest tenth {strong:.2f} deg")


if __name__ == "__main__":
    main()
