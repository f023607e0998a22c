"""Shared mathematics: masked means, gradients, precision, resizing, U-Net."""

from .distributed import all_reduce_mean
from .gradients import frozen, input_gradient
from .masked import masked_mean, masked_means
from .precision import checked_precision, in_precision
from .resize import resized, resized_image
from .transfer import HostBuffers, constant, on_host
from .unet import Residual, UNet

__all__ = [
    "HostBuffers",
    "Residual",
    "UNet",
    "all_reduce_mean",
    "checked_precision",
    "constant",
    "frozen",
    "in_precision",
    "input_gradient",
    "masked_mean",
    "masked_means",
    "on_host",
    "resized",
    "resized_image",
]
