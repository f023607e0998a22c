"""Metrics without ground truth: symmetry and ID similarity."""

from collections.abc import Callable, Sequence

import torch
from mmengine.registry import METRICS
from torch import Tensor
from torch.nn.functional import normalize

from ..geometry import view_of
from ..identity.aligned import aligned_crops, found_points
from ..landmarks import FaceMesh
from ..registry import MODELS, RENDERERS
from ..render import GridRenderer
from ..structures import Face, Rendering, Scene
from .depth import side
from .figures import ImageFigures
from .photo import psnr

GREY = 0.5  # colour behind a rendered face


@METRICS.register_module()
class Symmetry(ImageFigures):
    """Difference of the canonical face from its mirror image.

    `albedo_symmetry`: PSNR in dB of the albedo against its mirror image, at most 100.
    `depth_asymmetry`: SIDE x 100 of depth against its mirror image, 0 for a symmetric one.

    Both are over the whole canonical map. They show whether the canonical frame is centred on the
    face, not whether the face is right: a grey wall is perfectly symmetric, people are not.
    """

    names = ("albedo_symmetry", "depth_asymmetry")

    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        (scene,) = data_samples
        albedo, depth = (
            value.detach().cpu().float() for value in (scene.face.albedo, scene.face.depth)
        )
        everywhere = torch.ones_like(depth)
        self.add(psnr(albedo, albedo.flip(-1)), side(depth, depth.flip(-1), everywhere) * 100)


@METRICS.register_module()
class TurnedIdentity(ImageFigures):
    """ID similarity between the photo and the face rendered at other yaws.

    `turned_identity`: the cosine between the embeddings of the photo and of the rendered face, mean
    over the yaws. The face is lit as in the photo, on grey, and aligned by its landmarks. Cosines
    of different embeddings do not compare. `impostor_identity`: the same with the previous photo,
    which shows another person in a set with one photo per person.

    Args:
        identity: embedding of photos, (B, 3, H, W) → (B, K), such as `FaceRes`.
        yaws_deg: from the canonical face, which is frontal.
        render: renderer; default: `GridRenderer` without streaks at depth edges.
    """

    names = ("turned_identity", "impostor_identity")

    def __init__(
        self,
        identity: dict | Callable[[Tensor], Tensor],
        yaws_deg: Sequence[float] = (-30.0, 0.0, 30.0),
        render: dict | Callable[[Face], Rendering] | None = None,
        **metric: object,
    ) -> None:
        super().__init__(**metric)
        self.identity, self.yaws_deg = MODELS.build(identity), tuple(yaws_deg)
        self.render = RENDERERS.build(render) or GridRenderer(max_slope_deg=80)
        self.landmarks = FaceMesh()

    @torch.no_grad()
    def process(self, data_batch: dict, data_samples: Sequence[Scene]) -> None:
        clean = data_batch.get("clean", data_batch["photo"]).cpu()
        (scene,) = data_samples
        codes = []
        for yaw in self.yaws_deg:
            drawn = self.render(scene.face.with_view(view_of(yaw).to(scene.face.view)))
            image = torch.lerp(torch.full_like(drawn.image, GREY), drawn.image, drawn.mask)
            image = image.cpu().float().clamp(0, 1)
            crops = aligned_crops(image, found_points(image, self.landmarks))
            codes.append(normalize(self.identity(crops)))
        drawn_codes = torch.stack(codes).mean(0)  # a dot product with it is the mean cosine
        rows = zip(normalize(self.identity(clean)).cpu(), drawn_codes.cpu())
        self.results += [(photo.clone(), drawn.clone()) for photo, drawn in rows]

    def compute_metrics(self, results: list) -> dict[str, float]:
        photo, drawn = (torch.stack(column) for column in zip(*results))
        columns = [(photo * drawn).sum(1)]
        if len(results) > 1:
            columns.append((photo.roll(1, 0) * drawn).sum(1))
        return super().compute_metrics(torch.stack(columns, 1).tolist())
