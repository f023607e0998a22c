"""L2R's albedo restoration for people: what the photo shows of the face, completed and restored.

The paper's statement (introduction): the photo is encoded into style codes, the albedo proxy into a
spatial prior, and a pre-trained StyleGAN makes the albedo of both. All else is ours: the photo
reaches the albedo unwrapped, on the face itself, since no person survives a small code; the GAN's
features come in at each size, as an encoder of the same picture steers them.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, silu

from ..geometry import aligned, normals
from ..ops.unet import UNet
from ..registry import PRIORS, REFINERS
from ..render.shading import shade
from ..render.unwrap import unwrap, visibility
from ..restore.face_restorer import WIDTHS, FaceRestorer
from ..structures import Face, Light
from .albedo import enlarged

CHANNELS = 11  # what is known (3), the mirror image (3), both visibilities (2), the proxy (3)
DRAWN = 0.2  # share of the faces whose fidelity training draws


@REFINERS.register_module()
class UnwrappedAlbedo(nn.Module):
    """The face with its albedo restored, under ambient light alone; light stays in the albedo.

    The photo is laid onto the proxy's canonical face with its visibility, and so is its mirror
    image. What the photo shows is the beginning, then the mirror image, then the proxy as its own
    light shows it; a U-Net adds what is lacking. Its encoder gives the prior's codes and maps, its
    decoder sees the prior's features at each size. Before training the prior has no say, and the
    U-Net is that of `FaceRestorer`, if it begins with it.

    In training, a part of what the photo shows is hidden on purpose from some faces, as if the head
    had turned farther: completing the far side is learnt with a known answer, from ordinary photos.

    Args:
        prior: a `StyleGAN2`, or a part with its `mean_w`, `layers`, `widths` and arguments; None
            is none.
        image_size: px of photo and albedo.
        widths: channels of the U-Net at a half, a quarter ... of that size.
        begin: the shipped `FaceRestorer` whose U-Net of these widths training begins with, or None.
        hide: share of the faces that are hidden in part, in training.
        hide_deg: the farthest that their heads are turned in thought, to either side.
        fidelity: how far the photo's own pixels count, 1 as they are seen, 0 not at all: then the
            proxy, which was restored in 2D, and the prior decide. Training draws it for some faces.
        mirror: False leaves the mirror image out.
    """

    def __init__(
        self,
        prior: dict | nn.Module | None = None,
        image_size: int = 128,
        widths: tuple[int, ...] = WIDTHS,
        begin: str | None = None,
        hide: float = 0.6,
        hide_deg: float = 70.0,
        fidelity: float = 1.0,
        mirror: bool = True,
    ) -> None:
        super().__init__()
        if not 0 <= fidelity <= 1:
            raise ValueError(f"UnwrappedAlbedo: fidelity is within 0..1, not {fidelity}")
        self.image_size, self.hide, self.hide_deg = image_size, hide, hide_deg
        self.fidelity, self.mirror = fidelity, mirror
        self.prior = PRIORS.build(prior)
        self.network = GuidedUNet(widths, image_size, self.prior)
        if begin is not None:
            self.network.begin_with(FaceRestorer(begin, image_size, widths).network)

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: the proxy; photo (B, 3, H, W): what it was taken from."""
        face, photo = enlarged(face, self.image_size), aligned(photo, self.image_size)
        depth, view = face.depth.detach(), face.view.detach()
        own = unwrap(photo, depth, view)
        visible = own.visible * self._left(face) if self.training else own.visible
        proxy = shade(face.albedo, normals(depth), face.light).detach().clamp(0, 1)
        if self.mirror:  # what is hidden, the proxy has made up too
            proxy = torch.lerp(proxy.flip(-1), proxy, visible)
        shown = visible * self._trust(face)
        other, other_shown = own.colour.flip(-1), shown.flip(-1) * self.mirror
        known = torch.lerp(proxy, other, other_shown)
        known = torch.lerp(known, own.colour, shown)
        other = torch.lerp(proxy.flip(-1), other, other_shown)
        seen = torch.cat([known, other, shown, other_shown, proxy], 1)
        albedo = (known + self.network(seen, self.prior).float()).clamp(0, 1)
        return replace(face, albedo=albedo, light=ambient(face.light))

    def _trust(self, face: Face) -> Tensor:
        """(B, 1, 1, 1): how far each photo's own pixels count."""
        trust = torch.full((len(face),), self.fidelity)
        if self.training:
            drawn = torch.rand(len(face)) < DRAWN
            trust = torch.where(drawn, trust * torch.rand(len(face)), trust)
        return trust.view(-1, 1, 1, 1).to(face.depth, non_blocking=True)

    def _left(self, face: Face) -> Tensor:
        """(B, 1, S, S): what is left of faces when a part of some is hidden on purpose."""
        count = len(face)
        turned = face.view.detach().clone()
        turn = (torch.rand(count) * 2 - 1) * math.radians(self.hide_deg)
        hidden = torch.rand(count) < self.hide
        turned[:, 1] += turn.to(turned, non_blocking=True)
        left = visibility(face.depth.detach(), turned, face.size)
        hidden = hidden.view(-1, 1, 1, 1).to(left.device, non_blocking=True)
        return torch.where(hidden, left, torch.ones_like(left))


class GuidedUNet(UNet):
    """A U-Net whose decoder sees features of a prior that its encoder steers.

    Codes for all of the prior's layers follow from the smallest features, maps for each of its
    sizes from the encoder's features of that size.
    """

    def __init__(self, widths: tuple[int, ...], image_size: int, prior: nn.Module | None) -> None:
        super().__init__(widths, cin=CHANNELS)
        sizes = [image_size // 2 ** (level + 1) for level in range(len(widths))]
        self.codes, self.maps, self.fuse = None, nn.ModuleDict(), nn.ModuleDict()
        if prior is None:
            return
        latent = prior.layers * prior.latent
        self.codes = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * widths[-1], 256), nn.SiLU(),
            nn.Linear(256, latent),
        )  # fmt: skip
        for px, width in zip(sizes, widths):
            if px in prior.widths:
                modulated = prior.widths[px] // 2
                self.maps[str(px)] = nn.Conv2d(width, 2 * modulated, 3, padding=1)
                self.fuse[str(px)] = nn.Conv2d(prior.widths[px], width, 1)
        for layer in (self.codes[-1], *self.maps.values(), *self.fuse.values()):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def begin_with(self, trained: UNet) -> None:
        """Takes the weights of a U-Net that sees a picture alone; all else counts nothing yet."""
        state = {name: value.clone() for name, value in trained.state_dict().items()}
        first = torch.zeros_like(self.first.weight.data)
        first[:, : state["first.weight"].shape[1]] = state["first.weight"]
        self.load_state_dict({**state, "first.weight": first}, strict=False)

    def forward(self, picture: Tensor, prior: nn.Module | None = None) -> Tensor:
        *seen, x = self.encode(picture)
        guide = {} if self.codes is None else self._guide(prior, [*seen, x])
        x = self._fused(x, guide)
        for narrow, up in zip(self.narrow, self.up):
            x = interpolate(narrow(x), scale_factor=2, mode="nearest") + seen.pop()
            x = up(self._fused(x, guide))
        return pixel_shuffle(self.last(x), 2)

    def _guide(self, prior: nn.Module, seen: list[Tensor]) -> dict[int, Tensor]:
        """The prior's features by size in px."""
        codes = self.codes(silu(seen[-1])).unflatten(1, (prior.layers, -1)).float()
        maps = {}
        for x in seen:
            if (name := str(x.shape[-1])) in self.maps:
                scale, shift = self.maps[name](silu(x)).chunk(2, 1)
                maps[x.shape[-1]] = 1 + scale, shift
        _, features = prior(prior.mean_w + codes, space="w", noise="none", maps=maps)
        return features

    def _fused(self, x: Tensor, guide: dict[int, Tensor]) -> Tensor:
        name = str(x.shape[-1])
        return x + self.fuse[name](guide[x.shape[-1]]) if guide and name in self.fuse else x


def ambient(light: Light) -> Light:
    """Light from everywhere, as bright as a white page: a face shows its albedo."""
    return Light(
        torch.ones_like(light.ambient), torch.zeros_like(light.diffuse), light.direction.detach()
    )
