"""What a face may look like, learnt from many: generators that other parts steer."""

from .discriminator import StyleGAN2Discriminator
from .generator import StyleGAN2

__all__ = ["StyleGAN2", "StyleGAN2Discriminator"]
