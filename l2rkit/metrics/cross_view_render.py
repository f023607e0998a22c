"""Error of renderings in other photos' views."""

from collections.abc import Callable, Iterable, Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from ..errors import DataError
from ..losses.features import MobileNetFeatures
from ..registry import MODELS, RENDERERS
from ..render import GridRenderer
from ..structures import Face, Light, Rendering, Scene
from .cross_view import photos_of, rows
from .figures import ImageFigures
from .generator import described, frechet
from .photo import decibels, ssim
from .render import laid_over

PEOPLE = 20  # faces per rendering


@METRICS.register_module()
class CrossViewRenderErrors(ImageFigures):
    """PSNR in dB and SSIM of a face rendered in other photos' views, against those photos.

    For each photo A, mean over the others B of the same face, whose names differ by the yaw alone.
    A's canonical face is rendered in the view and light predicted for B and compared with B
    (`clean`, or `photo` where nothing was degraded) as in `RenderErrors`. Nothing is fitted.

    `cross_fmd` is the Fréchet distance of all these renderings from the photos, as `fmd` of
    `GeneratorDistance`: whether unseen sides look like photos, not whether they are right. After
    an evaluation `looks` holds what it compares, (N V (V - 1), D) each, ordered by person.

    Args:
        identity: embedding of photos, (B, 3, H, W) → (B, K), such as `FaceRes`. It adds
            `cross_identity`, the cosine between the rendering and B, and `cross_impostor`, that
            with the next face's photo from the same side.
        render: renderer; default: `GridRenderer` of the photos' size.
        features: image → maps (B, C, h, w), for `cross_fmd`; default: `MobileNetFeatures`.

    Raises:
        DataError: a photo is the only one of its face, or faces have different numbers of photos.
    """

    looks: Sequence[Tensor] = ()
    names = ("cross_psnr", "cross_ssim", "cross_identity", "cross_impostor")

    def __init__(
        self,
        identity: dict | Callable[[Tensor], Tensor] | None = None,
        render: dict | Callable[[Face], Rendering] | None = None,
        features: dict | nn.Module | None = None,
        **metric: object,
    ) -> None:
        super().__init__(**metric)
        self.identity = MODELS.build(identity)
        self.render = RENDERERS.build(render)
        self.features = MODELS.build(features) or MobileNetFeatures()
        self.features.eval().requires_grad_(False)

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        (scene,) = data_samples
        face, clean = scene.face, data_batch.get("clean", data_batch["photo"])
        columns = (face.depth, face.albedo, face.light.packed(), face.view, clean)
        self.results += rows(data_batch["name"], *columns)

    @torch.no_grad()
    def compute_metrics(self, results: list) -> dict[str, float]:
        table = views(name for name, *_ in results)
        columns = [torch.stack(column) for column in zip(*(row[1:] for row in results))]
        if self.identity is not None:
            codes, impostor = self.identity(columns[-1]), torch.empty_like(table).flatten()
            impostor[table] = table.roll(-1, 0)
            columns += [codes, codes[impostor]]
        look = torch.cat([self._look(some) for some in columns[4].split(PEOPLE)])
        parts = [self._figures(some, look, *columns) for some in table.split(PEOPLE)]
        found, *self.looks = (torch.cat(column) for column in zip(*parts))
        over = torch.empty(len(results), found.shape[-1])
        over[table] = found
        return super().compute_metrics(over.tolist()) | {"cross_fmd": frechet(*self.looks)}

    def _look(self, image: Tensor) -> Tensor:
        return described(self.features(image))

    def _figures(self, table: Tensor, look: Tensor, *columns: Tensor) -> tuple[Tensor, ...]:
        """Of the photos of `table` (N, V): their figures (N, V, K), each the mean over the others,
        and the descriptions of those others and of the renderings (N V (V - 1), D).
        """
        depth, albedo, light, view, clean, *codes = columns
        a, b = (1 - torch.eye(table.shape[1])).nonzero().unbind(1)
        here, there = table[:, a].flatten(), table[:, b].flatten()
        shown = Light(light[there, 0], light[there, 1], light[there, 2:])
        render = self.render or GridRenderer(clean.shape[-1])
        drawn = render(Face(depth[here], albedo[here], shown, view[there]))
        square, laid = laid_over(drawn, clean[there])
        figures = [decibels(square), ssim(laid, clean[there])]
        if self.identity is not None:
            seen = self.identity(laid)
            figures += [cosine_similarity(seen, code[there]) for code in codes]
        means = torch.stack(figures, 1).view(*table.shape, table.shape[1] - 1, -1).mean(2)
        return means, look[there], self._look(laid)


def views(names: Iterable[str]) -> Tensor:
    """(N, V): indices of the photos of each of N faces."""
    photos = list(photos_of(names).values())
    counts = {len(members) for members in photos}
    if len(counts) > 1 or counts <= {0, 1}:
        raise DataError("CrossViewRenderErrors: each face requires the same number of views, >= 2")
    return torch.tensor(photos)
