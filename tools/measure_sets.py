"""Measures how a method of photo sets depends on the size of sets and on bad photos in them.

On test heads of version 2, eight photos of each person: the errors of every photo in sets of 1, 2,
4 and 8, and the improvement over single photos. Rank-1 is the share of faces whose rendering from
ahead, under the same light for all, is nearest, by FaceRes, to a ninth photo of the same person,
which is clean. A method that sees each photo alone shares its faces by their mean. For one that has
learnt to share, one photo in sets of 4 is then replaced by another person's, or, if photos are
clean, degraded: its weight (1 is that of the others), and the change of the errors of the other
three. Intervals are 95 %, by bootstrap over people.
"""

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Subset, default_collate

from l2rkit.cli.common import quiet, user_errors
from l2rkit.cli.paths import writable_file
from l2rkit.collection import shared_face
from l2rkit.config import load_config, load_model
from l2rkit.data import DetailedHeads, PackPhoto, ResizeFace
from l2rkit.degrade import DegradationLevel
from l2rkit.errors import ConfigError
from l2rkit.identity import FaceRes
from l2rkit.landmarks import FaceMesh
from l2rkit.leaderboard import paired
from l2rkit.leaderboard.results import enter, entry
from l2rkit.leaderboard.supervision import supervision_of
from l2rkit.metrics import DepthErrors
from l2rkit.metrics.retrieval import codes_from, ranked, turned_renderer
from l2rkit.model import FaceReconstructor
from l2rkit.structures import Face, Scene
from l2rkit.viz.turntable import light_from
from l2rkit.zoo import shipped_weights, weight_file

PEOPLE = 125  # whose results are shown
EACH = 8  # photos of a person
SETS = (1, 2, 4, 8)
AT_ONCE = 8  # people
GALLERY_SIZE = 128  # px of clean photos, and of the renderings that are compared with them


@click.command(help=__doc__)
@click.argument("config", type=click.Path())
@click.argument("weights", type=click.Path(), required=False)
@click.option("--people", default=PEOPLE, show_default=True, type=click.IntRange(2))
@click.option("--level", default="clean", help="Degradation of all photos.  [default: clean]")
@click.option("--against", type=click.Path(), help="Config of a method of single photos.")
@click.option("--results", help="File for the entries.  [default: in work_dirs/]")
@user_errors
def main(
    config: str,
    weights: str | None,
    people: int,
    level: str,
    against: str | None,
    results: str | None,
) -> None:
    quiet()
    degradation = DegradationLevel(level)
    path = weight_file(weights) if weights else shipped_weights(config)
    where = writable_file(results or f"work_dirs/{Path(config).stem}/results.json")
    cfg = load_config(config)
    cfg.level = level
    supervision = supervision_of(cfg)
    model = load_model(cfg, path)
    other = load_model(load_config(against), shipped_weights(against)) if against else model
    if other.image_size != model.image_size:
        sizes = f"{other.image_size} px, not {model.image_size}"
        raise ConfigError(f"{against} takes photos of {sizes}: the methods see the same ones")
    photo, depth, gallery = load_heads(people, model.image_size)
    photo = degraded(photo, degradation)
    rank = Ranks(gallery)
    errors, predict = {}, predicting(model, photo)
    with click.progressbar(SETS, label="sets") as progress:
        for size in progress:
            errors[size] = measured(predict, depth, size, rank)
    for size, (side, mad, rank1) in errors.items():
        pairs = zip(errors[1], errors[size])
        less = " ".join(interval(a - b, EACH) for a, b in pairs) if size > 1 else ""
        click.echo(
            f"sets of {size}: SIDE {side.mean():.3f} MAD {mad.mean():.2f} rank-1 {rank1.mean():.1f}"
            f"  less: {less}"
        )
        figures = dict(side=side.mean(), mad=mad.mean())
        figures |= dict(side_std=side.std(ddof=1), mad_std=mad.std(ddof=1))
        figures["rank1_ahead"] = rank1.mean()
        made = entry(cfg, config, path, figures, len(photo), {}, supervision, EACH)
        made["protocol"] = f"heads 2, {model.image_size} px, sets of {size}"
        words = [config, *filter(None, [weights])]
        words += ["--people", str(people)] if people != PEOPLE else []
        words += ["--level", level] if level != "clean" else []
        made["command"] = f"python tools/measure_sets.py {shlex.join(words)}"
        enter(made, where)
    if against:
        alone = measured(predicting(other, photo), depth, 1, rank)
        for size in SETS:
            pairs = zip(alone, errors[size])
            more = " ".join(interval(theirs - ours, EACH) for theirs, ours in pairs)
            click.echo(f"{Path(against).stem} alone against sets of {size}: more by {more}")
    if not hasattr(model.decompose, "shares"):
        return
    spoilt = {"someone else": someone_else}
    if level == "clean":
        spoilt["severe"] = partial(degraded, degradation=DegradationLevel("severe"))
    for name, spoil in spoilt.items():
        share, more = disturbed(model, photo, depth, spoil, errors[4][0])
        click.echo(f"one of 4 is {name}: it counts {share}, the others' SIDE grows by {more}")


def load_heads(people: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Photos and true depths (N, _, size, size), ordered by person, and a clean photo of each."""
    each, last = EACH + 1, EACH
    common = dict(split="test", size=people * each, photos_per_person=each)
    heads = DetailedHeads(
        **common, fields=("img", "depth"), pipeline=[ResizeFace(size), PackPhoto()]
    )
    large = DetailedHeads(**common, image_size=GALLERY_SIZE, pipeline=[PackPhoto()])
    rows = [i for i in range(len(heads)) if i % each != last]
    batch = default_collate(list(Subset(heads, rows)))
    gallery = torch.stack([large[i]["photo"] for i in range(last, len(large), each)])
    return batch["photo"], batch["depth"], gallery


class Ranks:
    """100 for each face whose rendering from ahead is nearest to its person's photo, else 0.

    Args:
        gallery: (P, 3, S, S), one clean photo of each person.
    """

    def __init__(self, gallery: Tensor) -> None:
        self.judge, self.landmarks = FaceRes(), FaceMesh()
        self.render = turned_renderer(GALLERY_SIZE)
        self.gallery = torch.cat([self.judge(some) for some in gallery.split(AT_ONCE)])

    @torch.no_grad()
    def codes(self, face: Face) -> Tensor:
        """(B, K): the embeddings of the faces, seen from ahead under the same light."""
        half = torch.full((len(face),), 0.5)
        face = face.with_light(light_from(0, 0, half, half))
        return codes_from(0, face, self.render, self.judge, self.landmarks)

    def of(self, codes: Tensor) -> np.ndarray:
        """(N,): 100 or 0; `codes` (N, K) are ordered by person."""
        return ranked(codes, self.gallery, torch.arange(len(codes)) // EACH)[0]


Predict = Callable[[Tensor, Tensor], Scene]  # rows of photos and the set of each to their scenes


def predicting(model: FaceReconstructor, photo: Tensor) -> Predict:
    """The scenes of some rows of `photo` (N, 3, H, W), which come in steps of the same size.

    Faces of a method that sees each photo alone are predicted once, whatever the sets.
    """
    if hasattr(model.decompose, "shares"):
        return lambda rows, group: model.predict_collection(photo[rows], group)
    alone = {}

    def predict(rows: Tensor, group: Tensor) -> Scene:
        first = int(rows[0])
        if first not in alone:
            alone[first] = model.predict(photo[rows])[0].face
        face = shared_face(alone[first], group, photo.shape[-1])
        return Scene(photo[rows], face, model.render(face))

    return predict


@torch.no_grad()
def measured(
    predict: Predict, depth: Tensor, size: int, rank: Ranks | None = None
) -> tuple[np.ndarray, ...]:
    """SIDE x 100, MAD in degrees and, by `rank`, rank-1 in %, of each photo (N,).

    Photos are in sets of `size` neighbours.
    """
    metric, group, codes = DepthErrors(), torch.arange(len(depth)) // size, []
    for rows in torch.arange(len(depth)).split(AT_ONCE * EACH):
        scene = predict(rows, group[rows])
        metric.process(dict(depth=depth[rows]), [scene])
        if rank is not None:
            codes.append(rank.codes(scene.face))
    side, mad, *_ = zip(*metric.results)
    errors = np.array(side), np.array(mad)
    return errors if rank is None else (*errors, rank.of(torch.cat(codes)))


def disturbed(
    model: FaceReconstructor,
    photo: Tensor,
    depth: Tensor,
    spoil: Callable[[Tensor], Tensor],
    before: np.ndarray,
) -> tuple[str, str]:
    """The weight of the first photo of each 4 after `spoil`, and the growth of the others' SIDE.

    `before` (N,) is the SIDE of unspoilt sets of 4.
    """
    spoilt, first = photo.clone(), torch.arange(0, len(photo), 4)
    spoilt[first] = spoil(photo)[first]
    group, others = torch.arange(len(photo)) // 4, np.arange(len(photo)) % 4 != 0
    share = model.shares(spoilt, group)[first].numpy()
    grown = measured(predicting(model, spoilt), depth, 4)[0] - before
    return interval(share, EACH // 4), interval(grown[others], EACH * 3 // 4)


def someone_else(photo: Tensor) -> Tensor:
    """Each photo replaced by one of the next person."""
    return photo.roll(EACH, 0)


def degraded(photo: Tensor, degradation: DegradationLevel) -> Tensor:
    """Each photo degraded, with the same random draws in every run."""
    return degradation(photo, torch.Generator().manual_seed(0))


def interval(values: np.ndarray, each: int) -> str:
    """The mean and its 95 % interval over people, with `each` successive values per person."""
    low, high = paired.interval(values, np.zeros_like(values), each)
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
