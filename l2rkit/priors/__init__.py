"""Priors: generators of faces that other parts control by latents and maps."""

from .augment import AdaptiveAugment
from .discriminator import StyleGAN2Discriminator
from .generator import GrownStyleGAN2, StyleGAN2
from .invert import invert
from .projected import ProjectedDiscriminator
from .sampling import PriorSampler
from .training import AdversarialPrior, OptimizerForEach

__all__ = [
    "AdaptiveAugment",
    "AdversarialPrior",
    "GrownStyleGAN2",
    "OptimizerForEach",
    "PriorSampler",
    "ProjectedDiscriminator",
    "StyleGAN2",
    "StyleGAN2Discriminator",
    "invert",
]
