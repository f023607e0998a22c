"""Shared mathematics: masked means, gradients, precision, resizing, U-Net."""

from .distributed import all_reduce_mean
from .gradients import frozen, input_gradient
from .masked import masked_mean, masked_means
from .precision import checked_precision, in_precision
from .resize import resized, resized_image
from .unet import Residual, UNet

__all__ = [
    "Residual",
    "UNet",
    "all_reduce_mean",
    "checked_precision",
    "frozen",
    "in_precision",
    "input_gradient",
    "masked_mean",
    "masked_means",
    "resized",
    "resized_image",
]
