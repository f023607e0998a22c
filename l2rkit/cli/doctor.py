"""`l2rkit doctor`: which functions of l2rkit work here, and what the others need."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import click

from .common import HELP, quiet

OLDEST_PYTHON = (3, 10)
REQUIRED = ("torch", "mmengine", "mmcv", "numpy", "cv2", "numba", "trimesh", "safetensors", "PIL")
DISTRIBUTIONS = {  # of modules with another name; the first installed one counts
    "mmcv": ("mmcv-lite", "mmcv"),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "PIL": ("pillow",),
}
OPTIONAL = {  # module: its use, and how to install it
    "pytorch3d": ("PyTorch3DRenderer", "build it for the installed torch, see pytorch3d.org"),
    "nvdiffrast": ("the project nvdiffrast, on NVIDIA GPUs", "see github.com/NVlabs/nvdiffrast"),
    "triton": ("TritonRenderer, on GPUs", "comes with PyTorch's builds for CUDA"),
    "spandrel": ("the restorer Spandrel", "pip install spandrel"),
    "gradio": ("`l2rkit app`", "pip install 'gradio>=6.31,<7'"),
}
FINE, MISSING, BROKEN = "ok", "--", "!!"
Line = tuple[str, str, str]  # state, name, message


@click.command(context_settings=HELP)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Lists what works here, and what to install for the rest.

    Exit status 0: everything required works. 1: a requirement is broken, marked with !!.
    """
    quiet()
    broken = 0
    for title, look in SECTIONS.items():
        click.echo(f"{title}:")
        for state, name, words in look():
            broken += state == BROKEN
            click.echo(f"  {state} {name}: {words}")
    if broken:
        click.echo(f"{broken} needed things are broken", err=True)
        ctx.exit(1)


def needed() -> list[Line]:
    """Python and the required packages."""
    python = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < OLDEST_PYTHON
    first = (BROKEN, "python", f"{python}, 3.10 is needed") if old else (FINE, "python", python)
    return [first, *(package(name, BROKEN) for name in REQUIRED)]


def package(name: str, otherwise: str) -> Line:
    """Whether a package can be imported, and its version; `otherwise` is the state if not."""
    try:
        module = import_module(name)
    except Exception as error:  # an import may raise anything
        return otherwise, name, f"does not import: {_one_line(error)}"
    # of torch this includes the build, which the distribution may lack
    return FINE, name, str(getattr(module, "__version__", None) or _version(name))


def optional() -> list[Line]:
    """Packages that some parts need."""
    lines = []
    for name, (purpose, source) in OPTIONAL.items():
        if find_spec(name) is None:
            lines.append((MISSING, name, f"not installed, for {purpose}: {source}"))
        else:
            lines.append(package(name, MISSING))
    return lines


def machine() -> list[Line]:
    """Devices, threads, and whether a face can be rendered."""
    return [
        _tried("devices", lambda: ", ".join(import_module("l2rkit.engine.devices").device_names())),
        _tried("threads", lambda: f"{import_module('torch').get_num_threads()} of torch"),
        _tried("bfloat16", _halved),
        _tried("renderer", _drawn),
        kernels(),
    ]


def kernels() -> Line:
    """Whether compiled kernels are cached for the next start."""
    try:
        from ..ops.compiled import KEPT
        from ..render.grid import rasterize_grid  # noqa: F401  # it has some
    except Exception as error:
        return BROKEN, "kernels", _one_line(error)
    if all(KEPT.values()):
        return FINE, "kernels", "kept when compiled"
    words = "compiled at each start: no place can be written to; set NUMBA_CACHE_DIR to one"
    return MISSING, "kernels", words


def shipped() -> list[Line]:
    """The files shipped with the package; those of the default method are required."""
    from ..zoo import FOLDER

    lines = [_tried(name, lambda name=name: _read(FOLDER / name)) for name in NEEDED_FILES]
    others = sorted(p.name for p in FOLDER.glob("*.safetensors") if p.name not in NEEDED_FILES)
    return lines + [_tried(name, lambda name=name: _read(FOLDER / name)) for name in others]


def plugins() -> list[Line]:
    """Installed plugins and their states, without those that a config names."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each is listed here
        from ..plugins import STATES

    lines = []
    for name, module, parts, fault in STATES:
        said = ", ".join(parts) or "no parts in the registries"
        state = MISSING if fault else FINE
        lines.append((state, name, f"{module}: {fault and f'skipped, {fault}; has '}{said}"))
    return lines or [(FINE, "none", "installed; docs/part.md says how to make one")]


def places() -> list[Line]:
    """The places of data sets."""
    heads = Path("data/heads")
    sets = sorted(p.name for p in heads.glob("*") if p.is_dir())
    root = os.environ.get("OPENFACES_ROOT")
    photos = (MISSING, "OPENFACES_ROOT", "not set; docs/datasets.md says what it is for")
    if root:
        there = Path(root).is_dir()
        photos = (
            FINE if there else MISSING,
            "OPENFACES_ROOT",
            root + (", no folder" * (not there)),
        )
    return [
        (FINE, f"{heads}", ", ".join(sets))
        if sets
        else (MISSING, f"{heads}", "empty here; heads are made when they are first asked for"),
        photos,
    ]


NEEDED_FILES = (
    "face_restorer.safetensors",
    "face_landmark.tflite",
    "centerface.onnx",
)
SECTIONS: dict[str, Callable[[], list[Line]]] = {
    "needed": needed,
    "here": machine,
    "shipped": shipped,
    "optional": optional,
    "plugins": plugins,
    "data": places,
}


def _halved() -> str:
    """Whether the processor computes in half precision."""
    import torch

    from ..ops.precision import cpu_computes_in

    known = cpu_computes_in(torch.bfloat16)
    return "fast on this processor" if known else "not on this processor: float32 in its place"


def _drawn() -> str:
    """Rasterizes a flat face and checks the result."""
    import torch

    from ..render import rasterize_grid

    column, row = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="xy")
    face = rasterize_grid(torch.stack([column, row, torch.ones(4, 4)], -1)[None], 4)
    if (face < 0).any():
        raise RuntimeError("a flat face was not drawn whole")
    return "draws"


def _read(path: Path) -> str:
    if path.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            return f"{len(file.keys())} tensors, {path.stat().st_size / 1e6:.1f} MB"
    return f"{path.stat().st_size / 1e6:.1f} MB"


def _tried(name: str, look: Callable[[], str]) -> Line:
    try:
        return FINE, name, look()
    except Exception as error:
        return BROKEN, name, _one_line(error)


def _version(name: str) -> str:
    for distribution in DISTRIBUTIONS.get(name, (name,)):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return str(getattr(import_module(name), "__version__", "there"))


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
