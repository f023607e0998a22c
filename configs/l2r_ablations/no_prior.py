"""L2R without a prior: a generator of the same kind, trained from random weights."""

from mmengine.config import read_base

from l2rkit.priors import StyleGAN2

with read_base():
    from .full import *

model["refine"]["albedo"]["prior"] = dict(
    type=StyleGAN2, size=64, width=0.5, multiplier=0.25, latent=256, mapping=4, frozen=False
)
