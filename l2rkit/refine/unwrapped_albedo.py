"""L2R's albedo restoration for people: the photo unwrapped onto the face, completed and restored.

The paper's statement (introduction): the photo is encoded into style codes, the albedo proxy into a
spatial prior, and a pre-trained StyleGAN makes the albedo of both. All else is ours: the photo
is unwrapped onto the face, as a small code does not keep identity, and an encoder of the same
picture controls the GAN's features at each size.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle, silu

from ..errors import PartError
from ..geometry import normals
from ..ops.masked import masked_blur
from ..ops.resize import aligned
from ..ops.unet import UNet
from ..registry import PRIORS, REFINERS
from ..render.shading import shade
from ..render.unwrap import unwrap, visibility
from ..restore.face_restorer import WIDTHS, FaceRestorer
from ..restore.self_ensemble import over_mirror_image
from ..structures import Face, Light
from .albedo import enlarged

CHANNELS = 11  # photo (3), mirror image (3), both visibilities (2), proxy (3)
DRAWN = 0.2  # share of faces with a random fidelity in training


@REFINERS.register_module()
class UnwrappedAlbedo(nn.Module):
    """The face with restored albedo, under ambient light; the photo's light stays in the albedo.

    The photo and its mirror image are unwrapped onto the proxy's canonical face, with their
    visibility. Visible pixels of the photo come first, then those of the mirror image, then the lit
    proxy; a U-Net predicts a correction. Its encoder gives the prior's codes and maps, its decoder
    sees the prior's features at each size. Before training the prior has no effect, and the U-Net
    is that of `FaceRestorer`, if `begin` names it.

    In training, visible parts of some faces are hidden, as if the head had turned further, so that
    the completion of the far side is learnt with a known answer.

    Args:
        prior: a `StyleGAN2`, or a part with its `mean_w`, `layers`, `widths` and arguments; None
            is none.
        image_size: px of photo and albedo.
        widths: channels of the U-Net at a half, a quarter ... of that size.
        begin: the shipped `FaceRestorer` whose U-Net of these widths initialises this one, or None.
        hide: share of the faces that are partly hidden, in training.
        hide_deg: largest simulated turn of these heads, to either side.
        fidelity: weight of the photo's own pixels. At 0 only the proxy, which was restored in 2D,
            and the prior count. Training draws it at random for some faces.
        mirror: False leaves out the mirror image.
        broad: standard deviation of a Gaussian, in widths of the albedo. Where the photo shows the
            face, the proxy's colours replace the network's after this blur, so that only finer
            detail is the network's. 0 is off.
        self_ensemble: whether the correction is the mean of those for the face and for its mirror
            image, mirrored back, in evaluation mode (`SelfEnsemble` has the source).
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
        broad: float = 0.0,
        self_ensemble: bool = False,
    ) -> None:
        super().__init__()
        for name, share in dict(fidelity=fidelity, hide=hide, broad=broad).items():
            if not 0 <= share <= 1:
                raise PartError(f"{type(self).__name__}: {name} is within 0..1, not {share}")
        self.image_size, self.hide, self.hide_deg = image_size, hide, hide_deg
        self.fidelity, self.mirror, self.broad = fidelity, mirror, broad
        self.self_ensemble = self_ensemble
        self.prior = PRIORS.build(prior)
        self.network = GuidedUNet(widths, image_size, self.prior)
        if begin is not None:
            self.network.begin_with(FaceRestorer(begin, image_size, widths).network)

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: the proxy; photo (B, 3, H, W): its photo."""
        face, photo = enlarged(face, self.image_size), aligned(photo, self.image_size)
        depth, view = face.depth.detach(), face.view.detach()
        own = unwrap(photo, depth, view)
        visible = own.visible * self._still_visible(face) if self.training else own.visible
        proxy = seen_proxy = shade(face.albedo, normals(depth), face.light).detach().clamp(0, 1)
        if self.mirror:  # the proxy is a guess where hidden, so it is mirrored
            proxy = torch.lerp(proxy.flip(-1), proxy, visible)
        shown = visible * self._fidelities(face)
        other, other_shown = own.colour.flip(-1), shown.flip(-1) * self.mirror
        known = torch.lerp(proxy, other, other_shown)
        known = torch.lerp(known, own.colour, shown)
        other = torch.lerp(proxy.flip(-1), other, other_shown)
        seen = torch.cat([known, other, shown, other_shown, proxy], 1)
        albedo = known + self._correction(seen)
        if self.broad:
            off = masked_blur(seen_proxy - albedo, visible, self.broad * self.image_size)
            albedo = albedo + visible * off
        albedo = albedo.clamp(0, 1)
        return replace(face, albedo=albedo, light=ambient(face.light))

    def _correction(self, seen: Tensor) -> Tensor:
        """(B, 3, S, S): the network's correction of the face that the CHANNELS of `seen` show."""

        def correction(face: Tensor) -> Tensor:
            return self.network(face, self.prior).float()

        if self.training or not self.self_ensemble:
            return correction(seen)
        return over_mirror_image(correction, seen)

    def _fidelities(self, face: Face) -> Tensor:
        """(B, 1, 1, 1): the fidelity of each photo."""
        trust = torch.full((len(face),), self.fidelity)
        if self.training:
            drawn = torch.rand(len(face)) < DRAWN
            trust = torch.where(drawn, trust * torch.rand(len(face)), trust)
        return trust.view(-1, 1, 1, 1).to(face.depth, non_blocking=True)

    def _still_visible(self, face: Face) -> Tensor:
        """(B, 1, S, S): 1 where a face stays visible, 0 where training hides it."""
        count = len(face)
        turned = face.view.detach().clone()
        turn = (torch.rand(count) * 2 - 1) * math.radians(self.hide_deg)
        hidden = torch.rand(count) < self.hide
        turned[:, 1] += turn.to(turned, non_blocking=True)
        left = visibility(face.depth.detach(), turned, face.size)
        hidden = hidden.view(-1, 1, 1, 1).to(left.device, non_blocking=True)
        return torch.where(hidden, left, torch.ones_like(left))


class GuidedUNet(UNet):
    """A U-Net whose decoder sees features of a prior that its encoder controls.

    The smallest features give codes for all of the prior's layers; the encoder's features of each
    size give maps for the prior's features of that size.
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
        """Loads the weights of a U-Net on pictures alone; the other inputs get zero weights."""
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
    """Ambient light of strength 1, under which a face shows its albedo."""
    return Light(
        torch.ones_like(light.ambient), torch.zeros_like(light.diffuse), light.direction.detach()
    )
