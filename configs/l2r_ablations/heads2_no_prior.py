"""L2R on heads of version 2 without a prior: a like generator, trained from random weights."""

from mmengine.config import read_base

from l2rkit.priors import StyleGAN2

with read_base():
    from .heads2_full import *

model["refine"]["albedo"]["prior"] = dict(
    type=StyleGAN2, size=64, width=0.5, multiplier=0.25, latent=256, mapping=4, frozen=False
)
