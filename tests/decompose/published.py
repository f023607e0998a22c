"""Unsup3D's networks as its paper and code list them (64 pixels), and its forward formulas.

Written out by hand as plain layers, to be compared with ours. `nf` is the published width.
"""

import math

import torch
from torch import nn


def conv(cin, cout, kernel, stride=1, padding=0):
    return nn.Conv2d(cin, cout, kernel, stride, padding, bias=False)


def deconv(cin, cout, kernel, stride=1, padding=0):
    return nn.ConvTranspose2d(cin, cout, kernel, stride, padding, bias=False)


def gn(channels, nf):
    """16 groups for each `nf` = 64 channels."""
    return nn.GroupNorm(16 * nf // 64 * channels // nf, channels)


def down(nf, z):
    """The half that EDDeconv and ConfNet share: 64 pixels to a code."""
    return [
        conv(3, nf, 4, 2, 1), gn(nf, nf), nn.LeakyReLU(0.2),
        conv(nf, 2 * nf, 4, 2, 1), gn(2 * nf, nf), nn.LeakyReLU(0.2),
        conv(2 * nf, 4 * nf, 4, 2, 1), gn(4 * nf, nf), nn.LeakyReLU(0.2),
        conv(4 * nf, 8 * nf, 4, 2, 1), nn.LeakyReLU(0.2),
        conv(8 * nf, z, 4), nn.ReLU(),
    ]  # fmt: skip


def ed_deconv(cout, nf=64):
    """netD and netA, without the last activation."""
    up = [
        deconv(4 * nf, 8 * nf, 4), nn.ReLU(),
        conv(8 * nf, 8 * nf, 3, 1, 1), nn.ReLU(),
        deconv(8 * nf, 4 * nf, 4, 2, 1), gn(4 * nf, nf), nn.ReLU(),
        conv(4 * nf, 4 * nf, 3, 1, 1), gn(4 * nf, nf), nn.ReLU(),
        deconv(4 * nf, 2 * nf, 4, 2, 1), gn(2 * nf, nf), nn.ReLU(),
        conv(2 * nf, 2 * nf, 3, 1, 1), gn(2 * nf, nf), nn.ReLU(),
        deconv(2 * nf, nf, 4, 2, 1), gn(nf, nf), nn.ReLU(),
        conv(nf, nf, 3, 1, 1), gn(nf, nf), nn.ReLU(),
        nn.Upsample(scale_factor=2, mode="nearest"),
        conv(nf, nf, 3, 1, 1), gn(nf, nf), nn.ReLU(),
        conv(nf, nf, 5, 1, 2), gn(nf, nf), nn.ReLU(),
        conv(nf, cout, 5, 1, 2),
    ]  # fmt: skip
    return nn.ModuleDict({"network": nn.Sequential(*down(nf, 4 * nf), *up)})


def encoder(cout, nf=32):
    """netL and netV."""
    layers = [
        conv(3, nf, 4, 2, 1), nn.ReLU(), conv(nf, 2 * nf, 4, 2, 1), nn.ReLU(),
        conv(2 * nf, 4 * nf, 4, 2, 1), nn.ReLU(), conv(4 * nf, 8 * nf, 4, 2, 1), nn.ReLU(),
        conv(8 * nf, 8 * nf, 4), nn.ReLU(), conv(8 * nf, cout, 1), nn.Tanh(),
    ]  # fmt: skip
    return nn.ModuleDict({"network": nn.Sequential(*layers)})


def conf_net(nf=64):
    """netC."""
    up = [
        deconv(2 * nf, 8 * nf, 4), nn.ReLU(),
        deconv(8 * nf, 4 * nf, 4, 2, 1), gn(4 * nf, nf), nn.ReLU(),
        deconv(4 * nf, 2 * nf, 4, 2, 1), gn(2 * nf, nf), nn.ReLU(),
    ]  # fmt: skip
    pixel = [
        deconv(2 * nf, nf, 4, 2, 1), gn(nf, nf), nn.ReLU(),
        deconv(nf, nf, 4, 2, 1), gn(nf, nf), nn.ReLU(),
        conv(nf, 2, 5, 1, 2), nn.Softplus(),
    ]  # fmt: skip
    return nn.ModuleDict(
        {
            "network": nn.Sequential(*down(nf, 2 * nf), *up),
            "out_net1": nn.Sequential(*pixel),
            "out_net2": nn.Sequential(conv(2 * nf, 2, 3, 1, 1), nn.Softplus()),
        }
    )


def nets(nf=64, encoder_nf=32):
    """All five, by their names in released checkpoints."""
    return dict(
        netD=ed_deconv(1, nf),
        netA=ed_deconv(3, nf),
        netL=encoder(4, encoder_nf),
        netV=encoder(6, encoder_nf),
        netC=conf_net(nf),
    )


@torch.no_grad()
def forward(nets, photo):
    """The released code's depth, albedo in [0, 1], ambient, diffuse, light direction and view."""
    x = photo * 2 - 1
    raw = nets["netD"]["network"](x).squeeze(1)
    t = (raw - raw.view(len(raw), -1).mean(1).view(-1, 1, 1)).tanh()
    depth = (1 + t) / 2 * 1.1 + (1 - t) / 2 * 0.9
    depth[:, :, :2] = depth[:, :, -2:] = 0.7 * 1.1 + 0.3 * 0.9
    albedo = nets["netA"]["network"](x).tanh() / 2 + 0.5
    light = nets["netL"]["network"](x).flatten(1)
    toward = torch.stack([light[:, 2], light[:, 3], torch.ones(len(light))], 1)
    toward = toward / (toward**2).sum(1, keepdim=True).sqrt()
    view = nets["netV"]["network"](x).flatten(1)
    view = torch.cat([view[:, :3] * math.pi / 180 * 60, view[:, 3:5] * 0.1, view[:, 5:] * 0], 1)
    return depth, albedo, light[:, 0] / 2 + 0.5, light[:, 1] / 2 + 0.5, toward, view
