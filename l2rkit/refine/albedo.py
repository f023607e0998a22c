"""L2R's albedo restoration: a pre-trained GAN generates the albedo from the rough proxy.

The paper's statement (introduction): the photo is encoded into style codes, the albedo proxy into a
spatial prior, and a pre-trained StyleGAN makes the albedo of both. All else is ours: codes in w+,
and SFT (scale and shift) of half of the features at each size, as in GFPGAN (Wang et al., CVPR
2021).
"""

from dataclasses import replace
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

from ..ops.resize import aligned
from ..ops.unet import Residual
from ..registry import PRIORS, REFINERS
from ..structures import Confidence, Face

START = 4  # px; of the prior's smallest features


@REFINERS.register_module()
class PriorAlbedo(nn.Module):
    """The face with restored albedo; its other maps are resized to the same size.

    The photo gives codes for all layers, the albedo proxy gives spatial maps at each size. Before
    training both are zero, so the albedo is the prior's mean face.

    Args:
        prior: a `StyleGAN2`, or a part with its `mean_w`, `layers`, `widths` and arguments.
        width: channels of the two encoders at full size; twice as many at each half, up to 8 times.
        fidelity: scale of the maps. 1 follows the proxy as trained, 0 leaves the layout to the
            prior and the codes; between, it trades the proxy's identity for the prior's detail.
    """

    def __init__(self, prior: dict | nn.Module, width: int = 16, fidelity: float = 1.0) -> None:
        super().__init__()
        if not 0 <= fidelity <= 1:
            raise ValueError(f"PriorAlbedo: fidelity is within 0..1, not {fidelity}")
        self.prior = PRIORS.build(prior)
        self.fidelity = fidelity
        size, latent = self.prior.size, self.prior.latent
        self.image_size = size
        self.style = Pyramid(size, width)
        self.seen = nn.Linear(self.style.widths[START] * START**2, latent)
        self.codes = nn.Linear(latent, self.prior.layers * latent)
        self.spatial = Pyramid(size, width)
        modulated = {px: count // 2 for px, count in self.prior.widths.items() if px > START}
        self.maps = nn.ModuleDict(
            {
                str(px): nn.Conv2d(self.spatial.widths[px], 2 * count, 3, padding=1)
                for px, count in modulated.items()
            }
        )
        for layer in (self.codes, *self.maps.values()):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, face: Face, photo: Tensor) -> Face:
        """face: the proxy; photo (B, 3, H, W): its photo."""
        face, photo = enlarged(face, self.prior.size), aligned(photo, self.prior.size)
        codes = self.codes(silu(self.seen(self.style(photo * 2 - 1)[START].flatten(1))))
        codes = self.prior.mean_w + codes.unflatten(1, (self.prior.layers, -1)).float()
        seen = self.spatial(face.albedo * 2 - 1)
        maps = {}
        for px, layer in self.maps.items():
            scale, shift = (self.fidelity * layer(seen[int(px)])).chunk(2, 1)
            maps[int(px)] = 1 + scale, shift
        albedo, _ = self.prior(codes, space="w", noise="none", maps=maps)
        return replace(face, albedo=albedo.float())


class Pyramid(nn.Module):
    """(B, 3, size, size) → features at size, size / 2 ... 4 px, by px; finer ones see coarser ones.

    `widths` says how many channels there are at each.
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        sizes = [size // 2**level for level in range((size // START).bit_length())]
        self.widths = {px: width * min(8, size // px) for px in sizes}
        pairs = list(pairwise(sizes))
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(self.widths[big], self.widths[small], 3, stride=2, padding=1)
            for big, small in pairs
        )
        self.same = nn.ModuleList(Residual(self.widths[px]) for px in sizes[1:])
        self.up = nn.ModuleList(nn.Conv2d(self.widths[s], self.widths[b], 1) for b, s in pairs)

    def forward(self, picture: Tensor) -> dict[int, Tensor]:
        x = silu(self.first(picture))
        seen = [x]
        for down, same in zip(self.down, self.same):
            x = same(down(x))
            seen.append(x)
        for level in range(len(self.up) - 1, -1, -1):
            coarse = interpolate(self.up[level](seen[level + 1]), scale_factor=2, mode="nearest")
            seen[level] = seen[level] + coarse
        return {x.shape[-1]: x for x in seen}


def enlarged(face: Face, size: int) -> Face:
    """The face at another size, without `consistent` and displacement; itself at its own."""
    if face.size == size:
        return face
    factor, sure = size / face.size, face.confidence
    if sure is not None:
        maps = (aligned(m, round(m.shape[-1] * factor)) for m in (sure.pixel, sure.feature))
        sure = Confidence(*maps)
    depth, albedo = aligned(face.depth, size), aligned(face.albedo, size)
    region = None if face.region is None else aligned(face.region, size).round()
    kept = replace(face, displacement=None, consistent=None, confidence=sure, region=None)
    return replace(kept, depth=depth, albedo=albedo, region=region)
