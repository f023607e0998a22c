"""Times renderers, and the training steps of CONFIGS with their parts.

Without configs, only renderers are timed. Photos are random, as their content does not matter. Each
line runs in a separate process, so that peak memory is that of the line.
"""

import json
import math
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from l2rkit.cli.common import user_errors
from l2rkit.config import load_config
from l2rkit.engine.devices import chosen_device
from l2rkit.errors import ConfigError, DataError, UserError, near
from l2rkit.geometry import grid_triangles, move, project, unproject
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.landmarks.pose import project_points
from l2rkit.leaderboard.results import hardware
from l2rkit.model import FaceReconstructor
from l2rkit.render import (
    rasterize_grid,
    rasterize_pytorch3d,
    rasterize_torch,
    rasterize_triton,
)
from l2rkit.structures import Face, Light, Scene
from l2rkit.testing import example_face

SIZES = (32, 64, 128, 256)
ON_GPUS = ("Triton", "Torch", "nvdiffrast")
VARIANTS = {
    "float32": (None, torch.contiguous_format),
    "float32, channels last": (None, torch.channels_last),
    "bfloat16": ("bfloat16", torch.contiguous_format),
    "bfloat16, channels last": ("bfloat16", torch.channels_last),
}


@click.command(help=__doc__)
@click.argument("configs", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, ...")
@click.option("--variant", multiple=True, help="A precision of the steps.  [default: all]")
@click.option("--batch", default=32, show_default=True, help="Photos or meshes per batch.")
@click.option("--threads", default=2, show_default=True)
@click.option("--repeats", default=5, show_default=True, help="Repetitions; prints their median.")
@click.option("--renderers/--no-renderers", default=True, help="Whether to time renderers.")
@click.option("--json", "path", type=click.Path(dir_okay=False), help="JSON file for the figures.")
@user_errors
def main(
    configs: tuple[str, ...],
    device: str,
    variant: tuple[str, ...],
    batch: int,
    threads: int,
    repeats: int,
    renderers: bool,
    path: str | None,
) -> None:
    for config in configs:
        if (kind := load_config(config).model.type) is not FaceReconstructor:
            raise ConfigError(
                f"{config} trains a {kind.__name__}; only methods that render are timed"
            )
    device = chosen_device(device)
    for name in variant:
        if name not in VARIANTS:
            raise UserError(f"no variant is called '{name}'{near(name, VARIANTS)}")
    where = hardware() if device == "cpu" else torch.cuda.get_device_name(device)
    click.echo(f"torch {torch.__version__}, {threads} threads, batch {batch}, {where}")
    report: dict[str, Any] = {"batch": batch, "threads": threads, "device": where}
    report |= {"renderers": [], "steps": []}
    if renderers:
        head("ms per mesh", *(f"{size} px" for size in SIZES))
        for name in backends(device):
            line = alone(time_renderer, name, device, batch, threads, repeats)
            row(name, *(line.get(str(size)) for size in SIZES))
            report["renderers"].append({"backend": name, "ms_per_mesh": line})
    for config in configs:
        head(f"ms per step of {Path(config).stem}", *COLUMNS)
        for name in variant or VARIANTS:
            line = alone(time_step, config, name, device, batch, threads, repeats)
            row(name, *(line[column] for column in COLUMNS))
            report["steps"].append({"config": config, "variant": name, **line})
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)


def head(*cells: str) -> None:
    """Prints the head of a Markdown table."""
    click.echo("\n| " + " | ".join(cells) + " |\n" + "|---" * len(cells) + "|")


def row(name: str, *values: float | None) -> None:
    """Prints a row of a Markdown table, numbers with three digits."""
    cells = []
    for value in values:
        missing = value is None or math.isnan(value)
        cells.append("-" if missing else f"{value:.0f}" if value >= 100 else f"{value:.3g}")
    click.echo(f"| {name} | " + " | ".join(cells) + " |")


def alone(measure: Callable, *arguments: object) -> dict[str, float]:
    """The result of `measure` in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def backends(device: str) -> Iterator[str]:
    """The rasterizers that can run here."""
    if device != "cpu":
        yield from (name for name in ON_GPUS if find_spec(name.lower()))
        return
    yield "Grid"
    yield "Grid, one thread"
    yield "Torch"
    if find_spec("pytorch3d"):
        yield "PyTorch3D"
    if find_spec("embreex"):
        yield "Embree ray casting"


def time_renderer(
    name: str, device: str, batch: int, threads: int, repeats: int
) -> dict[str, float]:
    """{size: ms to rasterize a mesh whose grid and picture have this size}."""
    one_thread = name.endswith("one thread")
    torch.set_num_threads(1 if one_thread else threads)
    rasterize = {
        "Torch": rasterize_torch,
        "PyTorch3D": rasterize_pytorch3d,
        "Triton": rasterize_triton,
    }.get(name, rasterize_grid)
    if name == "nvdiffrast":
        from projects.nvdiffrast.renderer import rasterize_nvdiffrast as rasterize
    times = {}
    for size in SIZES:
        few = 2 if name in ("PyTorch3D", "Embree ray casting") else batch
        if name == "PyTorch3D" and size > 64:
            continue  # takes minutes: its time is proportional to pixels times triangles
        face = example_face(size, few)
        points = project(move(unproject(face.depth), face.view), size).permute(0, 2, 3, 1)
        points = points.to(device)
        if name.startswith("Embree"):
            call = casting(move(unproject(face.depth), face.view).permute(0, 2, 3, 1), size)
        else:
            call = _bound(rasterize, points, size)
        times[str(size)] = median_time(call, repeats) / few * 1000
    return times


def casting(points: Tensor, size: int) -> Callable[[], None]:
    """A function that builds each mesh and casts a ray per pixel, by Embree through trimesh."""
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    from l2rkit.geometry import rays

    directions = rays(size, points)[0].permute(1, 2, 0).reshape(-1, 3).numpy()
    origins, triangles = directions * 0, grid_triangles(size, size).numpy()

    def cast() -> None:
        for one in points.reshape(len(points), -1, 3).numpy():
            mesh = trimesh.Trimesh(one, triangles, process=False)
            RayMeshIntersector(mesh).intersects_first(origins, directions)

    return cast


COLUMNS = (
    "data",
    "step",
    "networks",
    "renderer",
    "losses",
    "optimizer",
    "images/s",
    "GiB",
    "saved by r.",
)


def time_step(
    config: str, variant: str, device: str, batch: int, threads: int, repeats: int
) -> dict[str, float]:
    """Milliseconds of a training step and of its parts, each forward and backward by itself.

    `data` is the time of one worker for a batch, in parallel with the previous step; NaN without
    the data. `GiB` is the peak memory of the process, or of the GPU. `saved by r.` is the
    renderer's share, in percent, of the tensors saved for the backward pass.
    """
    torch.set_num_threads(threads)
    precision, layout = VARIANTS[variant]
    cfg = load_config(config)
    described = dict(cfg.model)
    model = described.pop("type")(**described, precision=precision).train()
    model.to(device, memory_format=layout)
    photo = torch.rand(batch, 3, *[model.image_size] * 2, device=device)
    landmarks = project_points(torch.from_numpy(MEAN_FACE)[None], model.image_size)
    landmarks = landmarks.expand(batch, -1, -1).to(photo)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=1e-5)

    def step() -> None:
        optimizer.zero_grad()
        torch.stack(list(model.loss(photo, landmarks=landmarks).values())).sum().backward()
        optimizer.step()

    def networks() -> None:
        face = model.face(photo)
        sum(value.mean() for value in leaves(face)).backward()

    whole = median_time(step, repeats)
    with torch.no_grad():
        face = with_leaves(model.face(photo))

    def render() -> None:
        for turned in (face, face.mirrored()):
            model.render(turned).image.mean().backward()

    with torch.no_grad():
        own, mirrored = model.render(face), model.render(face.mirrored())
    for seen in (own, mirrored):
        seen.image.requires_grad_()
    scene = Scene(photo, face, own, mirrored, model.render, model.face, landmarks)

    def losses() -> None:
        torch.stack([part(scene) for part in model.losses.values()]).sum().backward()

    parts = {
        "networks": median_time(networks, repeats),
        "renderer": median_time(render, repeats),
        "losses": median_time(losses, repeats),
        "optimizer": median_time(optimizer.step, repeats),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if device != "cpu":
        peak = torch.cuda.max_memory_allocated(device) / 2**30
    drawn = saved_bytes(lambda: (model.render(face), model.render(face.mirrored())))
    return {
        "data": time_data(cfg.train_dataloader.dataset, batch, repeats) * 1000,
        "step": whole * 1000,
        **{name: seconds * 1000 for name, seconds in parts.items()},
        "images/s": batch / whole,
        "GiB": peak,
        "saved by r.": 100 * drawn / saved_bytes(lambda: model.loss(photo, landmarks=landmarks)),
    }


def time_data(described: Any, batch: int, repeats: int) -> float:
    """Seconds to read and transform a batch in one process; NaN without the data."""
    from mmengine.registry import DATASETS
    from torch.utils.data import default_collate

    described = dict(described)
    if "size" in described:
        described["size"] = batch  # heads are rendered on first use, and no more are needed
    try:
        dataset = DATASETS.build(described)
    except DataError:
        return float("nan")
    return median_time(lambda: default_collate([dataset[i] for i in range(batch)]), repeats)


def leaves(face: Face) -> list[Tensor]:
    """All tensors of a face."""
    found = [face.depth, face.albedo, face.light.packed(), face.view]
    if face.confidence is not None:
        found += [face.confidence.pixel, face.confidence.feature]
    return found


def with_leaves(face: Face) -> Face:
    """The face with tensors detached and requiring gradients."""

    def leaf(value: Tensor) -> Tensor:
        return value.detach().requires_grad_()

    light = Light(*(leaf(value) for value in vars(face.light).values()))
    return Face(leaf(face.depth), leaf(face.albedo), light, leaf(face.view), None, face.confidence)


def saved_bytes(forward: Callable[[], object]) -> int:
    """Bytes that `forward` saves for the backward pass; each storage counts once."""
    kept: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return value

    with saved_tensors_hooks(pack, lambda value: value):
        result = forward()  # kept until the end, so that no address is reused
        del result
    return sum(kept.values())


def median_time(call: Callable[[], object], repeats: int) -> float:
    """The median of seconds per call, after two warm-up calls."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return median(times[2:])


def _bound(call: Callable, *arguments: object) -> Callable[[], object]:
    return lambda: call(*arguments)


if __name__ == "__main__":
    main()
