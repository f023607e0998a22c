"""What a face may look like, learnt from many: generators that other parts steer."""

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
