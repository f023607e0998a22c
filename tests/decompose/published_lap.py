"""LAP's forward pass as its released demo describes it (128 pixels), photo by photo.

Written out from the weights' names alone, with plain functions, to be compared with our modules.
"""

import torch
from torch.nn import functional as F


def layer(state, key, x, stride=1, padding=0, up=False, slope=None, groups=0):
    """One (transposed) convolution, the group normalisation that follows it if any, a ReLU."""
    convolve = F.conv_transpose2d if up else F.conv2d
    x = convolve(x, state[f"{key}.weight"], stride=stride, padding=padding)
    if groups:
        name, index = key.rsplit(".", 1)
        norm = f"{name}.{int(index) + 1}"
        x = F.group_norm(x, groups, state[f"{norm}.weight"], state[f"{norm}.bias"])
    return x if slope is None else F.leaky_relu(x, slope)


def down(state, key, x, groups):
    return layer(state, key, x, 2, 1, slope=0.2, groups=groups)


def same(state, key, x, groups, slope):
    padding = state[f"{key}.weight"].shape[-1] // 2
    return layer(state, key, x, 1, padding, slope=slope, groups=groups)


def code_of(state, net, x, g, inside=(None, None)):
    """Maps at 64 and 32 pixels, and a code; `inside` is joined at 8 and at 4 pixels."""
    half = x = down(state, f"{net}.0", x, g)
    quarter = x = down(state, f"{net}.3", x, g)
    x = down(state, f"{net}.6", x, 2 * g)
    x = down(state, f"{net}.9", x, 4 * g)
    x = x if inside[0] is None else torch.cat([x, inside[0]], 1)
    x = same(state, f"{net}.12", x, 8 * g, 0.2)
    x = same(state, f"{net}.15", x, 4 * g, 0.2)
    x = down(state, f"{net}.18", x, 0)
    x = x if inside[1] is None else torch.cat([x, inside[1]], 1)
    x = same(state, f"{net}.20", x, 16 * g, 0.2)
    x = same(state, f"{net}.23", x, 8 * g, 0.2)
    return half, quarter, layer(state, f"{net}.26", x, slope=0)


def grow(state, net, x, g):
    """A code to 32 pixels."""
    x = layer(state, f"{net}.0", x, up=True, slope=0)
    for index, groups in ((2, 4 * g), (5, 2 * g), (8, g)):
        x = layer(state, f"{net}.{index}", x, 2, 1, True, 0, groups)
    return x


def twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def finish(state, net, x, g):
    """64 pixels to the map."""
    x = same(state, f"{net}.16", twice(x), g, 0)
    return same(state, f"{net}.22", same(state, f"{net}.19", x, g, 0), 0, None)


@torch.no_grad()
def aggregated(state, photos, g):
    """(1, cout, 128, 128) of one person's photos (N, 3, 128, 128) in [-1, 1]."""
    codes, weights = [], []
    for photo in photos.split(1):
        both = code_of(state, "network1", photo, g)[2]
        codes.append(both[:, : both.shape[1] // 2])
        weights.append(both[:, both.shape[1] // 2 :].exp())
    code = sum(w / sum(weights) * c for w, c in zip(weights, codes))
    for index in (0, 2):
        code = layer(state, f"combine_net.{index}", code, slope=0)
    x = same(state, "network.12", twice(grow(state, "network", code, g)), g, 0)
    return finish(state, "network", x, g)


@torch.no_grad()
def refined(state, consistent, photo, g):
    """(1, cout, 128, 128) of one photo (1, 3, 128, 128) in [-1, 1] and its person's map."""
    x = photo
    for index, groups in ((0, g), (3, g), (6, 2 * g), (9, 4 * g)):
        x = down(state, f"network_inject.{index}", x, groups)
    at_8, at_4 = x, down(state, "network_inject.12", x, 0)
    at_1 = layer(state, "network_inject.14", at_4, slope=0)
    half, quarter, code = code_of(state, "network_consist", consistent, g, (at_8, at_4))
    code = torch.cat([code, at_1], 1)
    for index in (28, 30):
        code = layer(state, f"network_consist.{index}", code, slope=0)
    x = joined(state, "fusion3", grow(state, "network_decoder", code, g), quarter, g)
    x = same(state, "network_decoder.12", twice(x), g, 0)
    return finish(state, "network_decoder", joined(state, "fusion2", x, half, g), g)


def joined(state, net, x, skip, g):
    attention = same(state, f"{net}_1.0", torch.cat([x, skip], 1), g, 0).softmax(1)
    return same(state, f"{net}_2.0", torch.cat([x, skip * attention], 1), g, 0)
