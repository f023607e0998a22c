"""Small mathematics that several stages share."""

from .distributed import mean_of_all
from .gradients import slope, still
from .masked import masked_mean, masked_means
from .precision import checked_precision, in_precision
from .resize import resized, resized_image
from .unet import Residual, UNet

__all__ = [
    "Residual",
    "UNet",
    "checked_precision",
    "in_precision",
    "masked_mean",
    "masked_means",
    "mean_of_all",
    "resized",
    "resized_image",
    "slope",
    "still",
]
