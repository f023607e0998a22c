"""Rasterizes grid meshes with a Triton kernel, on GPUs, as `rasterize_grid` does."""

from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from warnings import warn

import torch
from torch import Tensor

from ..errors import PartError
from .grid import EDGE, check_grid

TRIANGLES, WARPS = 64, 2  # per program; each lane draws one triangle
PIXELS = 2**22  # per launch: a z-buffer of 32 MB, which fits into the cache of a large GPU
MESHES = 2**16 - 1  # per launch: the largest second dimension of a grid of programs


def rasterize_triton(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
    """(B, size, size) int32: the nearest triangle at each pixel centre, or -1.

    Runs on GPUs, and on CPUs in Triton's interpreter (`TRITON_INTERPRET=1`), which is slow and for
    tests. Arguments, numbering and rules are those of `rasterize_grid`. The host does not wait
    for the GPU. Equal points give equal bits: claims for a pixel are compared as integers.

    Raises:
        PartError: Triton cannot be imported, or does not run where the points are.
    """
    check_grid("rasterize_triton", points, size, skip)
    kernels = kernels_for(points.device)
    points = points.detach().to(torch.float32)
    face = points.new_empty((len(points), size, size), dtype=torch.int32)
    few = max(1, min(PIXELS // (size * size), MESHES))
    with torch.cuda.device_of(points):
        for start in range(0, len(points), few):
            some = slice(start, start + few)
            _draw(kernels, points[some], face[some], None if skip is None else skip[some])
    return face


def _draw(kernels: ModuleType, points: Tensor, face: Tensor, skip: Tensor | None) -> None:
    """Fills `face` (B, S, S) for points (B, H, W, 3)."""
    batch, height, width, _ = points.shape
    buffer = torch.zeros(face.shape, dtype=torch.int64, device=face.device)
    if triangles := 2 * max(height - 1, 0) * max(width - 1, 0):
        kernels.claim_pixels[(-(-triangles // TRIANGLES), batch)](
            points,
            points if skip is None else skip.contiguous().view(torch.uint8),
            buffer,
            height,
            width,
            face.shape[-1],
            *points.stride(),
            SKIPS=skip is not None,
            TOLERANCE=EDGE,
            LANES=TRIANGLES,
            num_warps=WARPS,
            enable_fp_fusion=True,
        )
    pixels, lanes = buffer.numel(), 1024
    kernels.read_claims[(-(-pixels // lanes),)](
        buffer, face, pixels, LANES=lanes, enable_fp_fusion=True
    )


def kernels_for(device: torch.device) -> ModuleType:
    """The module of kernels, if they run on `device`.

    Raises:
        PartError: they do not.
    """
    instead = "TorchRenderer renders the same without it"
    try:
        import triton

        from . import triton_kernels
    except ImportError as error:
        raise PartError(
            f"TritonRenderer needs Triton, which cannot be imported ({error}); {instead}"
        ) from None
    if isinstance(triton_kernels.claim_pixels, triton.JITFunction) and device.type != "cuda":
        raise PartError(f"TritonRenderer renders on GPUs, not on the {device}; {instead}")
    return triton_kernels


@lru_cache
def triton_draws(device: torch.device) -> bool:
    """Whether Triton is installed and compiles its kernels on this GPU, which needs a C compiler.

    Renders one triangle on the first call. If that fails, a warning gives the reason.
    """
    if device.type != "cuda" or find_spec("triton") is None:
        return False
    corner = torch.tensor([[[[0.0, 0, 1], [1, 0, 1]], [[0, 1, 1], [1, 1, 1]]]], device=device)
    try:
        return rasterize_triton(corner, 1).tolist() == [[[0]]]
    except Exception as error:  # compilers and drivers may raise anything
        reason = " ".join(str(error).split())[:200]
        warn(
            f"Triton does not run on {device} ({reason}); TorchRenderer's way is taken",
            stacklevel=2,
        )
        return False
