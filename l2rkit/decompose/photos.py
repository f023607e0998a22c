"""What every decomposer asks of its photos."""

from torch import Tensor, nn

from ..errors import PartError


def check_photo(part: nn.Module, photo: Tensor) -> None:
    """Raises PartError unless `photo` is (B, 3, S, S) with the `image_size` of the part as S."""
    size = part.image_size
    if photo.shape[1:] != (3, size, size):
        expected, name = f"(B, 3, {size}, {size})", type(part).__name__
        raise PartError(f"{name} expects photos {expected}, not {tuple(photo.shape)}")
