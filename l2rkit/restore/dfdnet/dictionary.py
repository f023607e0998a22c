"""The dictionary of components of good photos, and the choice of the atom for a bad one."""

import torch
from torch import Tensor, nn

from .components import BOXES, side
from .features import CHANNELS, STRIDES

EPSILON = 1e-5  # added to variances


class Dictionary(nn.Module):
    """Atoms (K, C, n, n) of each component at each stride, as `<component>_<stride>`; frozen.

    They are noise until a dictionary is loaded.

    Args:
        atoms: K; 64 is ours.
        image_size: px of the photos' side.
    """

    def __init__(self, atoms: int, image_size: int) -> None:
        super().__init__()
        for stride, channels in zip(STRIDES, CHANNELS):
            for component in BOXES:
                wide = side(component, image_size // stride)
                self.register_buffer(
                    name(component, stride), torch.randn(atoms, channels, wide, wide)
                )

    def swapped(self, part: Tensor, component: str, stride: int) -> Tensor:
        """(B, C, n, n): the atom nearest to each part (B, C, n, n), in the part's own style."""
        atoms = self.get_buffer(name(component, stride)).to(part)
        return adain(atoms[match(part, atoms)], part)


def name(component: str, stride: int) -> str:
    """The name of a buffer of atoms."""
    return f"{component}_{stride}"


def statistics(part: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of (B, C, H, W), both (B, C, 1, 1)."""
    variance, mean = torch.var_mean(part, (2, 3), correction=0, keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def standardised(part: Tensor) -> Tensor:
    """(B, C, H, W) with mean 0 and deviation 1 in each channel."""
    mean, spread = statistics(part)
    return (part - mean) / spread


def adain(atoms: Tensor, part: Tensor) -> Tensor:
    """The atoms (B, C, H, W) with each channel's mean and deviation those of the part.

    The paper's component adaptive instance normalisation: the atom adds structure, light and colour
    remain the photo's.
    """
    mean, spread = statistics(part)
    return standardised(atoms) * spread + mean


def match(part: Tensor, atoms: Tensor) -> Tensor:
    """(B,) int64: which of the atoms (K, C, H, W) has, after `adain`, the largest inner product.

    After `adain` all atoms have equal norms, so it is also the nearest one. Their means add a
    constant to each product and are left out; the deviations are applied to the part instead.
    """
    _, spread = statistics(part)
    return torch.einsum("bchw,kchw->bk", part * spread, standardised(atoms)).argmax(1)
