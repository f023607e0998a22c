"""StyleGAN2 as its paper and code define it, slowly: weights per sample, filters tap by tap.

A generator is a dict of tensors under the names of the community's checkpoints; `tiny` makes one.
"""

import math

import torch
from torch.nn.functional import leaky_relu, pad

TAPS = torch.outer(torch.tensor([1.0, 3, 3, 1]), torch.tensor([1.0, 3, 3, 1])) / 64
CHANNELS = {4: 6, 8: 5, 16: 4, 32: 3}
LATENT = 8


def tiny(channels=CHANNELS, latent=LATENT, layers=3, seed=0):
    """A generator drawn at random, with names and shapes as rosinality/stylegan2-pytorch has."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    state = {}
    for layer in range(1, layers + 1):
        state[f"style.{layer}.weight"] = draw(latent, latent) * 100
        state[f"style.{layer}.bias"] = draw(latent) * 30
    state["input.input"] = draw(1, channels[4], 4, 4)

    def conv(name, cin, cout, kernel=3):
        state[f"{name}.conv.weight"] = draw(1, cout, cin, kernel, kernel)
        state[f"{name}.conv.modulation.weight"] = draw(cin, latent)
        state[f"{name}.conv.modulation.bias"] = 1 + draw(cin) / 2
        if kernel == 1:
            state[f"{name}.bias"] = draw(1, 3, 1, 1) / 3
            return
        state[f"{name}.noise.weight"] = draw(1)
        state[f"{name}.activate.bias"] = draw(cout) / 3

    conv("conv1", channels[4], channels[4])
    conv("to_rgb1", channels[4], 3, kernel=1)
    state["noises.noise_0"] = draw(1, 1, 4, 4)
    for level, size in enumerate(sorted(channels)[1:]):
        conv(f"convs.{2 * level}", channels[size // 2], channels[size])
        conv(f"convs.{2 * level + 1}", channels[size], channels[size])
        conv(f"to_rgbs.{level}", channels[size], 3, kernel=1)
        state[f"convs.{2 * level}.conv.blur.kernel"] = 4 * TAPS
        state[f"to_rgbs.{level}.upsample.kernel"] = 4 * TAPS
        for index in (2 * level + 1, 2 * level + 2):
            state[f"noises.noise_{index}"] = draw(1, 1, size, size)
    return state


def upfirdn(x, taps, up=1, down=1, before=0, after=0):
    """Zeros between pixels and around, the filter tap by tap, every `down`-th pixel."""
    batch, channels, height, width = x.shape
    spread = x.new_zeros(batch, channels, height * up, width * up)
    spread[..., ::up, ::up] = x
    spread = pad(spread, (before, after, before, after))
    rows, columns = spread.shape[2] - len(taps) + 1, spread.shape[3] - len(taps) + 1
    out = x.new_zeros(batch, channels, rows, columns)
    for i in range(len(taps)):
        for j in range(len(taps)):
            out += taps.flip(0, 1)[i, j] * spread[..., i : i + rows, j : j + columns]
    return out[..., ::down, ::down]


def correlate(x, weight, stride=1):
    """One sample x (I, H, W), weight (O, I, k, k), nothing around x."""
    kernel = weight.shape[-1]
    rows, columns = x.shape[1] - kernel + 1, x.shape[2] - kernel + 1
    out = x.new_zeros(len(weight), rows, columns)
    for i in range(kernel):
        for j in range(kernel):
            seen = x[:, i : i + rows, j : j + columns]
            out += torch.einsum("oi,ihw->ohw", weight[:, :, i, j], seen)
    return out[:, ::stride, ::stride]


def spread_out(x, weight):
    """The transpose of a correlation at every second pixel: (I, H, W) → (O, 2 H + 1, 2 W + 1)."""
    _, height, width = x.shape
    out = x.new_zeros(len(weight), 2 * height + 1, 2 * width + 1)
    for i in range(3):
        for j in range(3):
            stamp = torch.einsum("oi,ihw->ohw", weight[:, :, i, j], x)
            out[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += stamp
    return out


def modulated(x, weight, style, up=False, demodulate=True):
    """Weights for each sample, as in the paper's eqs. 1 and 3; weight (O, I, k, k)."""
    out = []
    for one, scale in zip(x, style):
        own = weight * scale[None, :, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            wide = spread_out(one, own)[None]
            out.append(upfirdn(wide, 4 * TAPS.to(x), before=1, after=1)[0])
        else:
            margin = weight.shape[-1] // 2
            out.append(correlate(pad(one, [margin] * 4), own))
    return torch.stack(out)


def activate(x):
    return leaky_relu(x, 0.2) * math.sqrt(2)


def mapped(state, z):
    layers = len([key for key in state if key.startswith("style.")]) // 2
    w = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for layer in range(1, layers + 1):
        weight, bias = state[f"style.{layer}.weight"], state[f"style.{layer}.bias"]
        w = activate(w @ (weight * 0.01 / math.sqrt(weight.shape[1])).T + bias * 0.01)
    return w


def forward(state, codes, noise=True, maps=None):
    """The image in [-1, 1] and beyond, from w+ codes (B, layers, L), and all features by size."""

    def convolved(name, x, code, up=False, last=False):
        weight = state[f"{name}.conv.weight"][0]
        affine = state[f"{name}.conv.modulation.weight"]
        style = code @ (affine / math.sqrt(affine.shape[1])).T
        style = style + state[f"{name}.conv.modulation.bias"]
        scaled = weight / math.sqrt(weight[0].numel())
        return modulated(x, scaled, style, up=up, demodulate=not last)

    def styled(name, index, x, code, up=False):
        x = convolved(name, x, code, up)
        if noise:
            x = x + state[f"{name}.noise.weight"] * state[f"noises.noise_{index}"]
        return activate(x + state[f"{name}.activate.bias"][None, :, None, None])

    def image_of(name, x, code):
        return convolved(name, x, code, last=True) + state[f"{name}.bias"]

    x = state["input.input"].repeat(len(codes), 1, 1, 1)
    x = styled("conv1", 0, x, codes[:, 0])
    image, features = image_of("to_rgb1", x, codes[:, 1]), {4: x}
    for level in range(codes.shape[1] // 2 - 1):
        first, size = 2 * level + 1, 8 << level
        x = styled(f"convs.{2 * level}", first, x, codes[:, first], up=True)
        if maps and size in maps:
            x = x * maps[size][0] + maps[size][1]
        x = styled(f"convs.{2 * level + 1}", first + 1, x, codes[:, first + 1])
        image = upfirdn(image, 4 * TAPS.to(x), up=2, before=2, after=1)
        image = image + image_of(f"to_rgbs.{level}", x, codes[:, first + 2])
        features[size] = x
    return image, features
