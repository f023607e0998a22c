"""Restorers of other projects, of any architecture that PyPI's `spandrel` knows.

Examples are GFPGAN, RestoreFormer, Real-ESRGAN and SwinIR, and CodeFormer with
`spandrel_extra_arches`. The library gets tensors only: our own reader opens the files and runs no
code in them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..errors import PartError, WeightsError
from ..io.pickles import read_foreign
from ..io.weights import read_weights
from ..ops.resize import resized
from ..registry import RESTORERS

FACE = 512  # px at which GFPGAN, RestoreFormer and CodeFormer were trained on aligned faces
EXTRA = (
    "CodeFormer and some others need `pip install spandrel_extra_arches`, "
    "whose architectures have non-commercial or copyleft licences"
)


@RESTORERS.register_module()
class Spandrel(nn.Module):
    """The photo (B, 3, H, W) restored to (B, 3, scale H, scale W), in [0, 1].

    `scale` is the library's: 4 for most upscalers, 1 for denoisers and face restorers.

    - A face restorer sees the whole photo at 512 px: made square by repeating its last row or
      column, and resized by bicubic interpolation. The output is shrunk by area averages to the
      photo's size; enlarge the photo first to keep 512 px. Photos should be aligned faces. These
      models were trained on FFHQ's crops, which show more around the face than ours.
    - For any other model with size requirements, the library pads the photo on the right and
      below by reflection, and crops the padding afterwards.

    Frozen, without gradients. A model with noise inputs, such as GFPGAN, always gets the same
    noise. Code and weights keep the licences of their projects.

    Args:
        weights: `.pth`, `.pt`, `.ckpt` or `.safetensors`, as the model's authors released it.
    """

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.take(described(read_tensors(weights), str(weights)))

    def take(self, descriptor: Any) -> None:
        """Takes the model of the library's `ImageModelDescriptor`."""
        self.descriptor = descriptor
        self.network = descriptor.model.requires_grad_(False)
        self.scale = descriptor.scale
        self.face = descriptor.purpose == "FaceSR"
        # True if it cannot work on tiles of a photo
        self.needs_whole_photo = self.face or descriptor.tiling.name == "INTERNAL"
        self.eval()

    def train(self, mode: bool = True) -> "Spandrel":
        """Stays in evaluation mode."""
        return super().train(False)

    def forward(self, photo: Tensor) -> Tensor:
        with torch.no_grad():
            if self.face:
                return at_face_size(self.each, photo, self.scale)
            return self.each(photo)

    def each(self, photo: Tensor) -> Tensor:
        """The library takes one picture at a time; clones are tensors that autograd accepts."""
        restored = []
        for one in photo:
            with same_noise(photo.device):
                restored.append(self.descriptor(one[None]).clone())
        return torch.cat(restored).to(photo.dtype).clamp(0, 1)


def at_face_size(restore: Callable[[Tensor], Tensor], photo: Tensor, scale: int) -> Tensor:
    """(B, 3, scale H, scale W): the photo restored at 512 px; `restore` enlarges by `scale`."""
    height, width = photo.shape[2:]
    side = max(height, width)
    square = pad(photo, (0, side - width, 0, side - height), "replicate")
    restored = restore(resized(square, (FACE, FACE), "bicubic").clamp(0, 1))
    back = resized(restored, (scale * side, scale * side), "area").clamp(0, 1)
    return back[..., : scale * height, : scale * width]


@contextmanager
def same_noise(device: torch.device) -> Iterator[None]:
    """A context with fixed seeds of torch's generators, whose states are restored afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


def read_tensors(weights: str) -> dict[str, Any]:
    """The content of a checkpoint; its state dict may be nested in another dict.

    Raises:
        WeightsError: the file is missing, damaged, a program, or holds no dict.
    """
    path = Path(str(weights))
    content = read_weights(path) if path.suffix == ".safetensors" else read_foreign(path)
    if not content or not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        raise WeightsError(f"{path} holds no state dict: names with tensors")
    return content


def library() -> ModuleType:
    """The module `spandrel`.

    Raises:
        PartError: it, or something that it needs, is not installed or does not load.
    """
    try:
        import spandrel
    except ModuleNotFoundError as error:
        raise PartError(
            f"Spandrel finds no package {error.name}: `pip install spandrel` brings it; {EXTRA}"
        ) from None
    except Exception as error:  # a torchvision built for another torch raises other errors
        raise PartError(
            f"Spandrel cannot load the package spandrel: {first_line(error)}; "
            "it needs the torchvision that was built for the installed torch"
        ) from None
    return spandrel


def described(content: dict[str, Any], source: str) -> Any:
    """The library's `ImageModelDescriptor` of the model with these tensors, from RGB to RGB.

    Raises:
        PartError: the library is missing.
        WeightsError: it knows no such architecture, or not one that restores a picture.
    """
    spandrel = library()
    state = spandrel.canonicalize_state_dict(content)
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{source} holds no state dict: names with tensors")
    known, extra = spandrel.MAIN_REGISTRY.copy(), None
    with suppress(ImportError):
        import spandrel_extra_arches as extra

        known.add(*extra.EXTRA_REGISTRY, ignore_duplicates=True)
    try:
        found = spandrel.ModelLoader("cpu", known).load_from_state_dict(state)
    except spandrel.UnsupportedModelError:
        hint = "" if extra else f"; {EXTRA}"
        raise WeightsError(
            f"{source}: spandrel knows no architecture with '{next(iter(state))}'{hint}"
        ) from None
    except Exception as error:  # a wrong state dict may fail anywhere
        raise WeightsError(f"{source} is no whole model: {first_line(error)}") from None
    name = found.architecture.name
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise WeightsError(f"{source} is {name}, which fills masks and restores no picture")
    channels = found.input_channels, found.output_channels
    if channels != (3, 3):
        raise WeightsError(
            f"{source} is {name} from {channels[0]} to {channels[1]} channels, not from RGB to RGB"
        )
    return found.eval()


def first_line(error: Exception) -> str:
    """The error's type and the first line of its message."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
