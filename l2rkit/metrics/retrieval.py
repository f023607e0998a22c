"""Whether the face that comes out is still the person who went in."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmengine.registry import METRICS, MODELS
from torch import Tensor

from ..face import Face, Rendering, Scene
from ..geometry import view_of
from ..landmarks.region import skin_tone
from ..registry import RENDERERS
from ..render import GridRenderer
from .figures import ImageFigures

TONES = ("dark", "medium", "light")  # terciles of the skin tone
COLOURLESS = "without colour"


@METRICS.register_module()
class FaceRetrieval(ImageFigures):
    """Whether a drawn face finds its own photo among all clean photos of the set.

    Codes of an identity network are compared by their cosine. For each view, `rank1_VIEW` in
    percent: the share of faces that are nearest to their own clean photo; `cosine_VIEW`: the mean
    cosine with it. Views: `own`, as the photo shows it; `ahead`, yaw 0; `side`, the mean over yaws
    of 30 degrees to both sides. Faces are drawn on white.

    `rank1_own_GROUP` is the same for the photos of each `source` and of each tercile of skin tone
    (see `skin_tone`), for photos with colour, so that it is seen who is served worse.

    A restorer gives pictures, not faces: then there is the own view alone.

    Args:
        judge: part that gives aligned crops (B, 3, S, S) unit codes (B, K), see
            `l2rkit.identity`; left out, `FaceRes`, against which nothing is trained.
        render: part that draws; left out, `GridRenderer` of the photo's size without streaks.
        side_deg: the yaw of the side views.
    """

    def __init__(
        self,
        judge: dict | Callable[[Tensor], Tensor] | None = None,
        render: dict | Callable[[Face], Rendering] | None = None,
        side_deg: float = 30.0,
        **metric: object,
    ) -> None:
        super().__init__(**metric)
        judge = dict(type="l2rkit.identity.FaceRes") if judge is None else judge
        self.judge = MODELS.build(judge) if isinstance(judge, dict) else judge
        self.render = RENDERERS.build(render)
        self.views = {"ahead": (0.0,), "side": (side_deg, -side_deg)}

    @torch.no_grad()
    def process(self, data_batch: dict, data_samples: Sequence[Scene | Tensor]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu().float()
        (sample,) = data_samples
        pictures = self._pictures(sample, clean.shape[-1])
        codes = [self.judge(picture).cpu() for picture in (clean, *pictures)]
        for row, columns in enumerate(zip(*codes)):
            self.results.append((torch.stack(columns), self._groups(data_batch, clean, row)))

    def _pictures(self, sample: Scene | Tensor, size: int) -> list[Tensor]:
        if isinstance(sample, Tensor):
            return [sample.cpu().float().clamp(0, 1)]
        render = self.render or GridRenderer(size, supersample=2, max_slope_deg=80)
        face, yaws = sample.face, [yaw for some in self.views.values() for yaw in some]
        turned = [face.seen_from(view_of(yaw).to(face.view)) for yaw in yaws]
        return [render(own).on_white().cpu().float() for own in (face, *turned)]

    def _groups(self, data_batch: dict, clean: Tensor, row: int) -> tuple[str | None, float]:
        """The photo's source, and its skin tone; None or NaN where it is not known."""
        source = data_batch["source"][row] if "source" in data_batch else None
        if "landmarks_3d" not in data_batch or not int(
            data_batch.get("colour", [1] * len(clean))[row]
        ):
            return source, float("nan")
        some = slice(row, row + 1)
        return source, float(skin_tone(clean[some], data_batch["landmarks_3d"][some].cpu()))

    def compute_metrics(self, results: list) -> dict[str, float]:
        codes, groups = zip(*results)
        photo, own, *turned = torch.stack(codes).unbind(1)
        found = {"own": [ranked(own, photo)]}
        columns = iter(turned)
        if turned:
            for name, yaws in self.views.items():
                found[name] = [ranked(next(columns), photo) for _ in yaws]
        figures: dict[str, np.ndarray] = {}
        for place, name in enumerate(("rank1", "cosine")):
            for view, some in found.items():
                figures[f"{name}_{view}"] = np.mean([each[place] for each in some], 0)
        self.names = tuple(figures)
        report = super().compute_metrics(
            list(zip(*(column.tolist() for column in figures.values())))
        )
        # a share in percent has no deviation worth telling
        report = {
            k: v for k, v in report.items() if not (k.startswith("rank1") and k.endswith("_std"))
        }
        own = figures["rank1_own"]
        return report | {
            f"rank1_own_{name}": float(own[members].mean())
            for name, members in members_of(groups).items()
        }


def ranked(drawn: Tensor, photo: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(N,) 100 where a code (N, K) is nearest to its own photo's among all (N, K), else 0; cosines.

    A draw with another photo does not count.
    """
    cosine = drawn @ photo.T
    own = cosine.diagonal().clone()
    others = cosine.fill_diagonal_(-torch.inf).amax(1)
    return 100.0 * (own > others).numpy(), own.numpy()


def members_of(groups: Sequence[tuple[str | None, float]]) -> dict[str, np.ndarray]:
    """Which photos (N,) bool are of each source, and of each tercile of skin tone."""
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
