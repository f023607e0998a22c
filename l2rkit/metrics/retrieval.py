"""Retrieval of a person's photo by the predicted face."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from torch import Tensor

from ..geometry import view_of
from ..identity.aligned import aligned_crops, found_points
from ..io.files import cached_array
from ..io.weights import weights_digest
from ..landmarks import FaceMesh
from ..landmarks.region import skin_tone
from ..registry import MODELS, RENDERERS
from ..render import GridRenderer
from ..structures import Face, Rendering, Scene, each_tensor

TONES = ("dark", "medium", "light")  # terciles of the skin tone
COLOURLESS = "without colour"


@METRICS.register_module()
class FaceRetrieval(BaseMetric):
    """Rank-1 accuracy in percent of retrieving a person's clean photo by a rendered face.

    The gallery is all clean photos of the set; embeddings are compared by their cosine. For each
    view, `rank1_VIEW` is the share of faces whose nearest photo is their own, and `cosine_VIEW` is
    the mean cosine with it. The views:

    - `own`: the photo's view, by the method's own renderer;
    - `pasted`: the same over the input photo, as if the face were pasted back;
    - `ahead`: yaw 0;
    - `side`: the mean over yaws of plus and minus `side_deg`.

    Faces are rendered on white. Turned ones are aligned by the landmarks that FaceMesh finds in
    them. A restorer returns pictures, which have no turned views.

    `rank1_own_GROUP` is `rank1_own` over the photos of each `source`, over the colour photos of
    each tercile of skin tone (see `skin_tone`), and over those without colour.

    Args:
        judge: embedding of aligned crops, (B, 3, S, S) → (B, K) of unit length; default:
            `FaceRes`, which no training uses.
        render: renderer of turned views; default: `GridRenderer` of the photo's size without
            streaks at depth edges.
        side_deg: yaw of the side views.
        turned_every: 4 renders turned views of every fourth photo's face, to save time; 1 of all.
        cache: folder in which the clean photos' embeddings are kept, 4 KB per photo.
    """

    default_prefix = ""
    each: dict[str, Sequence[float]] = {}

    def __init__(
        self,
        judge: dict | Callable[[Tensor], Tensor] | None = None,
        render: dict | Callable[[Face], Rendering] | None = None,
        side_deg: float = 30.0,
        turned_every: int = 1,
        cache: str | None = None,
        **metric: object,
    ) -> None:
        super().__init__(**metric)
        judge = dict(type="l2rkit.identity.FaceRes") if judge is None else judge
        self.judge = MODELS.build(judge)
        self.known = weights_digest(repr(judge), self.judge)
        self.render, self.landmarks = RENDERERS.build(render), FaceMesh()
        self.views = {"ahead": (0.0,), "side": (side_deg, -side_deg)}
        self.turned_every, self.cache = turned_every, None if cache is None else Path(cache)
        if self.cache is not None:
            self.cache.mkdir(parents=True, exist_ok=True)

    @torch.no_grad()
    def process(self, data_batch: dict, data_samples: Sequence[Scene | Tensor]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu().float()
        (sample,) = data_samples
        # MMEngine's sampler deals photos out to the processes in turn
        numbers = range(len(self.results), len(self.results) + len(clean))
        places = [number * get_world_size() + get_rank() for number in numbers]
        rows = [row for row, place in enumerate(places) if place % self.turned_every == 0]
        turned: dict[int, Tensor] = {}
        if isinstance(sample, Tensor):
            own = pasted = sample.cpu().float().clamp(0, 1)
        else:
            own = sample.rendering.on_white().cpu().float()
            pasted = sample.rendering.over(sample.target).cpu().float()
            if rows:
                render = self.render or turned_renderer(clean.shape[-1])
                some = each_tensor(sample.face, lambda tensor: tensor[rows])
                turned = dict(zip(rows, self._turned(render, some)))
        photos, drawn = self._codes_of_photos(clean), self.judge(own).cpu()
        drawn_over = drawn if pasted is own else self.judge(pasted).cpu()
        groups = self._groups(data_batch, clean)
        for row, codes in enumerate(zip(photos, drawn, drawn_over)):
            self.results.append((*codes, turned.get(row), groups[row]))

    def _turned(self, render: Callable[[Face], Rendering], face: Face) -> Tensor:
        """(B, V, K): embeddings of the faces in the turned views, in the order of `self.views`."""
        yaws = [yaw for some in self.views.values() for yaw in some]
        codes = [codes_from(yaw, face, render, self.judge, self.landmarks) for yaw in yaws]
        return torch.stack(codes, 1).cpu()

    def _codes_of_photos(self, clean: Tensor) -> Tensor:
        if self.cache is None:
            return self.judge(clean).cpu()
        codes = []
        for photo in clean:
            name = sha256(self.known + photo.numpy().tobytes()).hexdigest()
            codes.append(
                cached_array(self.cache / name, lambda p=photo: self.judge(p[None])[0].cpu())
            )
        return torch.from_numpy(np.stack(codes))

    def _groups(self, data_batch: dict, clean: Tensor) -> list[tuple[str | None, float]]:
        """Each photo's source and skin tone; None and NaN where unknown."""
        count = len(clean)
        sources = data_batch.get("source", [None] * count)
        tones = torch.full((count,), torch.nan)
        if "landmarks_3d" in data_batch:
            colour = torch.as_tensor(data_batch.get("colour", [1] * count)) > 0
            tones[colour] = skin_tone(clean, data_batch["landmarks_3d"].cpu())[colour]
        return list(zip(sources, tones.tolist()))

    def compute_metrics(self, results: list) -> dict[str, float]:
        photos, owns, pasted, turned, groups = zip(*results)
        photo, rank1, cosine = torch.stack(photos), {}, {}
        for name, codes in (("own", owns), ("pasted", pasted)):
            rank1[name], cosine[name] = ranked(torch.stack(codes), photo)
        rows = torch.tensor([row for row, codes in enumerate(turned) if codes is not None])
        if len(rows):
            views = iter(torch.stack([turned[row] for row in rows]).unbind(1))
            for name, yaws in self.views.items():
                found = [ranked(next(views), photo, rows) for _ in yaws]
                rank1[name], cosine[name] = (np.mean(column, 0) for column in zip(*found))
        self.each = {f"rank1_{name}": values for name, values in rank1.items()}
        self.each |= {f"cosine_{name}": values for name, values in cosine.items()}
        report = {name: float(np.mean(values)) for name, values in self.each.items()}
        self.each = {k: v for k, v in self.each.items() if len(v) == len(results)}
        return report | {
            f"rank1_own_{name}": float(rank1["own"][members].mean())
            for name, members in photos_by_group(groups).items()
        }


def turned_renderer(size: int) -> GridRenderer:
    """The renderer of turned faces, `size` px wide, without streaks at depth edges."""
    return GridRenderer(size, supersample=2, max_slope_deg=80)


def codes_from(
    yaw_deg: float,
    face: Face,
    render: Callable[[Face], Rendering],
    judge: Callable[[Tensor], Tensor],
    landmarks: FaceMesh,
) -> Tensor:
    """(B, K): embeddings of faces seen at a yaw on white, aligned by the landmarks found there."""
    drawn = render(face.with_view(view_of(yaw_deg).to(face.view))).on_white().cpu().float()
    return judge(aligned_crops(drawn, found_points(drawn, landmarks)))


def ranked(
    drawn: Tensor, photo: Tensor, rows: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(M,): 100 where the own photo has the highest cosine, else 0; (M,): the cosine with it.

    drawn (M, K) and photo (N, K): embeddings of unit length; rows (M,): the index of each face's
    own photo, by default its own index. A tie with another photo gives 0.
    """
    rows = torch.arange(len(drawn)) if rows is None else rows
    cosine = drawn @ photo.T
    own = cosine.gather(1, rows[:, None])[:, 0]
    others = cosine.scatter(1, rows[:, None], -torch.inf).amax(1)
    return 100.0 * (own > others).numpy(), own.numpy()


def photos_by_group(groups: Sequence[tuple[str | None, float]]) -> dict[str, np.ndarray]:
    """(N,) bool per group: the photos of each source, and of each tercile of skin tone."""
    sources, tones = (
        np.array([str(source) for source, _ in groups]),
        np.array([t for _, t in groups]),
    )
    named = {source: sources == source for source in sorted(set(sources) - {"None"})}
    known = np.isfinite(tones)
    if known.sum() >= len(TONES):
        bounds = np.quantile(tones[known], np.arange(1, len(TONES)) / len(TONES))
        tercile = np.digitize(np.where(known, tones, 0), bounds)
        named |= {name: known & (tercile == i) for i, name in enumerate(TONES)}
        if not known.all():
            named[COLOURLESS] = ~known
    return {name: members for name, members in named.items() if members.any()}
