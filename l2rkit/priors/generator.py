"""StyleGAN2's generator (Karras et al., CVPR 2020)."""

import torch
from torch import Tensor, nn

from ..errors import PartError, WeightsError
from ..io.weights import apart, load_into, model_weights
from ..registry import PRIORS
from ..zoo import weight_file
from .layers import Dense, StyledConv, ToImage, enlarged, leaky, sft_modulated, unit
from .readers import Shape, read_generator

SIZES = (32, 64, 128, 256, 512, 1024)
NOISES = ("fixed", "random", "none")
SPACES = ("z", "w")
Maps = dict[int, tuple[Tensor, Tensor]]


def channel_table(size: int, width: float = 1, multiplier: float = 2) -> dict[int, int]:
    """Channels of the features at 4, 8 ... `size` px: published, times `width` (ours).

    `multiplier` is 2 in config F, and 1 in the smaller one of many models of 256 px.

    Raises:
        PartError: there is no such network.
    """
    if size not in SIZES:
        raise PartError(f"StyleGAN2: size is one of {', '.join(map(str, SIZES))} px, not {size}")
    sizes = [4 * 2**level for level in range(size.bit_length() - 2)]
    table = {px: round(width * min(512, 16384 * multiplier // px)) for px in sizes}
    if min(table.values()) < 1:
        raise PartError(f"StyleGAN2: width {width:g} leaves no channel at {size} px")
    return table


class Mapping(nn.Sequential):
    """z (..., L), unit normal → w (..., L), by layers with a hundredth of the learning rate."""

    def __init__(self, latent: int, layers: int) -> None:
        super().__init__(*[Dense(latent, latent, pace=0.01) for _ in range(layers)])

    def forward(self, z: Tensor) -> Tensor:
        w = unit(z)
        for layer in self:
            w = leaky(layer(w))
        return w


class Block(nn.Module):
    """One size: features of half the size → features and the image so far, (B, 3, size, size)."""

    def __init__(self, cin: int | None, cout: int, latent: int, size: int) -> None:
        super().__init__()
        self.up = None if cin is None else StyledConv(cin, cout, latent, size, up=True)
        self.conv = StyledConv(cout, cout, latent, size)
        self.image = ToImage(cout, latent)

    def forward(
        self,
        x: Tensor,
        image: Tensor | None,
        codes: list[Tensor],
        noise: str,
        maps: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor]:
        """codes: of `up`, `conv` and `image`, each (B, L); there is no `up` in the first block."""
        if self.up is not None:
            x = self.up(x, codes[0], noise)
        if maps is not None:
            x = sft_modulated(x, maps)
        x = self.conv(x, codes[-2], noise)
        added = self.image(x, codes[-1])
        return x, added if image is None else enlarged(image) + added


@PRIORS.register_module()
class StyleGAN2(nn.Module):
    """Latents (B, L) or (B, layers, L) → image (B, 3, size, size) in [0, 1], and features.

    The features are the outputs of the last convolution of each size, by that size in px. Inside,
    images are in [-1, 1].

    Args:
        weights: name of a shipped file, or a path: of a public checkpoint, in any of the layouts
            that `read_generator` knows, or of ours. It determines the architecture. None is a
            random start, for which the arguments below do.
        size: px; with weights, the expected size, or None for any.
        width: times the published number of channels.
        multiplier: 2 for the published config F.
        latent: L.
        mapping: number of layers between z and w.
        frozen: weights take no gradient; latents and maps still do.
    """

    def __init__(
        self,
        weights: str | None = None,
        size: int | None = None,
        width: float = 1,
        multiplier: float = 2,
        latent: int = 512,
        mapping: int = 8,
        frozen: bool = True,
    ) -> None:
        super().__init__()
        state: dict[str, Tensor] = {}
        if weights is None:
            shape = Shape(channel_table(size or 256, width, multiplier), latent, mapping)
        else:
            state, shape = read_generator(weight_file(weights))
        self.size, self.latent = max(shape.channels), shape.latent
        self.widths = shape.channels  # channels of the features, by px
        if size not in (None, self.size):
            raise WeightsError(f"{weights} holds a generator of {self.size} px, not {size}")
        self.mapping = Mapping(shape.latent, shape.mapping)
        self.start = nn.Parameter(torch.randn(1, shape.channels[4], 4, 4))
        widths = [None, *shape.channels.values()]
        self.blocks = nn.ModuleDict(
            {
                str(px): Block(before, width, shape.latent, px)
                for before, (px, width) in zip(widths, shape.channels.items())
            }
        )
        self.layers = 2 * len(self.blocks)  # as many as there are codes
        self.register_buffer("mean_w", torch.zeros(shape.latent))
        if weights is not None:
            drawn = {k: v for k, v in self.state_dict().items() if k.endswith(".noise")}
            load_into(self, {**drawn, "mean_w": self.mean_w, **state}, str(weights))
        if "mean_w" not in state:
            self.update_w_avg()
        self.requires_grad_(not frozen)
        # then a model's files need not hold them
        self.external_weights = frozen and weights is not None

    @torch.no_grad()
    def update_w_avg(self, count: int = 4096) -> None:
        """Makes `mean_w`, towards which latents are truncated, the mean of w over `count` draws."""
        seeded = torch.Generator().manual_seed(0)
        z = torch.randn(count, self.latent, generator=seeded).to(self.mean_w)
        self.mean_w.copy_(self.mapping(z).mean(0))

    def forward(
        self,
        latents: Tensor,
        space: str = "z",
        truncation: float = 1,
        noise: str = "fixed",
        maps: Maps | None = None,
        clamp: bool = True,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """
        latents: one code for all layers, or one for each, so (B, layers, L) in "w" is "w+".
        space: "z" where codes are normal, "w" where they went through `mapping`.
        truncation: 1 leaves w, 0 makes all `mean_w`.
        noise: "fixed" is always the same, "random" is drawn anew, "none" is none.
        maps: by size in px, scale and shift (B, c, size, size) of what goes into the last
            convolution of that size, as in GFPGAN; see `sft_modulated`.
        clamp: to [0, 1]. A generator in training does without, for there its gradient would end.

        Raises:
            PartError: an argument is not of these.
        """
        self.check(latents, space, noise, maps or {})
        codes = self.mapping(latents) if space == "z" else latents
        codes = torch.lerp(self.mean_w, codes.to(self.mean_w.dtype), truncation)
        if codes.dim() == 2:
            codes = codes[:, None].expand(-1, self.layers, -1)
        x, image, features = self.start.expand(len(codes), -1, -1, -1), None, {}
        x = x.contiguous(memory_format=torch.channels_last)
        for index, (name, block) in enumerate(self.blocks.items()):
            own = codes[:, max(0, 2 * index - 1) : 2 * index + 2].unbind(1)  # the last is shared
            x, image = block(x, image, own, noise, (maps or {}).get(int(name)))
            features[int(name)] = x
        image = (image + 1) / 2
        return image.clamp(0, 1) if clamp else image, features

    def check(self, latents: Tensor, space: str, noise: str, maps: Maps) -> None:
        if space not in SPACES or noise not in NOISES:
            raise PartError(
                f"StyleGAN2: space is of {', '.join(SPACES)} and noise of {', '.join(NOISES)}, "
                f"not '{space}' and '{noise}'"
            )
        expected = ((self.latent,), (self.layers, self.latent))
        if tuple(latents.shape[1:]) not in expected:
            raise PartError(
                f"StyleGAN2: latents are (B, {self.latent}) or (B, {self.layers}, {self.latent}), "
                f"not {tuple(latents.shape)}"
            )
        for size, (scale, shift) in maps.items():
            widest = self.blocks[str(size)].conv.weight.shape[1] if str(size) in self.blocks else 0
            fits = scale.shape == shift.shape and tuple(scale.shape[2:]) == (size, size)
            if not fits or scale.shape[1] > widest:
                raise PartError(
                    f"StyleGAN2: maps at {size} px are two of (B, up to {widest}, {size}, {size}), "
                    f"not {tuple(scale.shape)} and {tuple(shift.shape)}"
                )


@PRIORS.register_module()
class GrownStyleGAN2(StyleGAN2):
    """A trained generator, frozen, with new layers for larger images.

    New layers initially add nothing to the enlarged image. Their weights are a separate small file.
    Ours: StyleGAN2 trains all sizes together; progressive growing (Karras et al., ICLR 2018) fades
    new layers in while all are trained.

    Args:
        weights: the trained one's, as for `StyleGAN2`.
        size: px; each new size has half of the channels of the one before.
        grown: the new sizes' weights, a shipped file's name, a path or a run's checkpoint; None is
            a beginning.
        frozen: new sizes take no gradient, either.
    """

    def __init__(
        self, weights: str, size: int, grown: str | None = None, frozen: bool = True
    ) -> None:
        super().__init__(weights)
        self.external_weights = False
        if size not in SIZES or size <= self.size:
            raise PartError(f"GrownStyleGAN2: {self.size} px do not grow to {size}")
        for part in (self.mapping, *self.blocks.values()):
            part.external_weights = True  # so that they are not in its weight files
        known = apart(self)
        while self.size < size:
            wide, self.size = self.widths[self.size], 2 * self.size
            self.widths[self.size] = max(1, wide // 2)
            block = Block(wide, self.widths[self.size], self.latent, self.size)
            nn.init.zeros_(block.image.weight)
            self.blocks[str(self.size)] = block.requires_grad_(not frozen)
        self.layers = 2 * len(self.blocks)
        if grown is not None:
            state = model_weights(weight_file(grown), "generator_ema")
            load_into(self, {k: v for k, v in state.items() if not k.startswith(known)}, grown)
        self.external_weights = frozen and grown is not None
