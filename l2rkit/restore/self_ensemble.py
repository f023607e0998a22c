"""A restorer applied to the photo and to its mirror image."""

from collections.abc import Callable

from torch import Tensor, nn

from ..errors import PartError
from ..registry import RESTORERS

SHARED = ("image_size", "scale", "aligned", "needs_whole_photo", "change_features", "supervision")


@RESTORERS.register_module()
class SelfEnsemble(nn.Module):
    """The mean of `restore`'s results for the photo and for its mirror image, mirrored back.

    Independent errors of both average out: the geometric self-ensemble of Timofte et al. (2016,
    "Seven ways to improve example-based single image super resolution", section 3.6), with one
    of its eight transforms. A photo takes twice the time.

    Args:
        restore: the restorer, or the name of one without arguments. This part has its size, scale
            and other properties.
    """

    def __init__(self, restore: str | dict | nn.Module) -> None:
        super().__init__()
        if restore is None:
            raise PartError("SelfEnsemble requires a restorer as its restore, not None")
        self.restore = RESTORERS.build(dict(type=restore) if isinstance(restore, str) else restore)

    def forward(self, photo: Tensor) -> Tensor:
        return over_mirror_image(self.restore, photo)

    def __getattr__(self, name: str) -> object:
        return getattr(self.restore, name) if name in SHARED else super().__getattr__(name)


def over_mirror_image(function: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """The mean of `function` of the image and of its mirror image, mirrored back."""
    return (function(image) + function(image.flip(-1)).flip(-1)) / 2
