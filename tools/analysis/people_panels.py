"""Draws held-out people and the faces that methods predict, one column per person.

From the top: the clean photo and its landmarks; the degraded photo and its landmarks; then for each
CONFIG the face in the photo's view, and without background at yaws -45, 0 and 45 degrees and lit
from the left and from the right. Photos are evenly spread over the test split of a manifest in
OPENFACES_ROOT (docs/datasets.md).
"""

import click
import numpy as np
import torch
from mmengine.dataset import default_collate
from torch.nn.functional import interpolate

from l2rkit.cli.common import user_errors
from l2rkit.config import load_model
from l2rkit.data import CropByLandmarks, Degrade, LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.degrade import DegradationLevel
from l2rkit.geometry import view_of
from l2rkit.io.weights import load_weights, own_state
from l2rkit.landmarks import FaceMesh
from l2rkit.landmarks.face_mesh import disagreement
from l2rkit.registry import RESTORERS
from l2rkit.render import GridRenderer
from l2rkit.structures import Light
from l2rkit.viz.alone import FaceAlone
from l2rkit.viz.landmarks import with_landmarks
from l2rkit.viz.sheet import sheet
from l2rkit.viz.turntable import light_from
from l2rkit.zoo import shipped_weights

SIZE = 128  # px of photos
YAWS_DEG = (-45.0, 0.0, 45.0)
LIGHTS_DEG = (-60.0, 60.0)  # from the picture's left and right


@click.command(help=__doc__)
@click.argument("configs", nargs=-1, required=True, type=click.Path())
@click.option("--out", required=True, type=click.Path(dir_okay=False))
@click.option("--level", default="severe", show_default=True)
@click.option("--people", default=10, show_default=True)
@click.option("--source", multiple=True, help="Only photos of this source. May be repeated.")
@click.option("--tile", default=192, show_default=True, help="Pixels of each picture.")
@click.option("--restore", help="Name of a restorer before all methods.")
@click.option(
    "--weights", multiple=True, help="Weights of each CONFIG.  [default: the shipped ones]"
)
@user_errors
def main(
    configs: tuple[str, ...],
    out: str,
    level: str,
    people: int,
    source: tuple[str, ...],
    tile: int,
    restore: str | None,
    weights: tuple[str, ...],
) -> None:
    batch = photos(level, people, source)
    clean, bad = batch["clean"], batch["photo"]
    found, rows = FaceMesh(), []
    for photo in (clean, bad):
        landmarks, spread = found.checked(uint8(photo))
        rows += [shown(photo, tile), with_landmarks(photo, torch.from_numpy(landmarks), tile)]
        known = disagreement(*map(np.asarray, (landmarks, found(uint8(clean)))))
        for name, mirror, off in zip(batch["name"], spread, known):
            click.echo(f"{name}: disagrees with its mirror image by {mirror:.3f}, is off {off:.3f}")
    if restore:
        bad = RESTORERS.build(dict(type=restore)).eval()(bad)
        rows.append(shown(bad, tile))
    render, alone = GridRenderer(tile, supersample=2, max_slope_deg=80), FaceAlone(tile)
    for config, own in zip(configs, weights or [None] * len(configs)):
        model = load_model(config)
        if own_state(model):
            load_weights(model, own or shipped_weights(config))
        face = model.face(bad)
        ahead = face.with_view(view_of())
        shown_alone = [face.with_view(view_of(yaw)) for yaw in YAWS_DEG]
        shown_alone += [ahead.with_light(lit_from(yaw, len(face))) for yaw in LIGHTS_DEG]
        rows += [render(face).on_white(), *(alone(view).on_white() for view in shown_alone)]
    sheet(torch.cat(rows), columns=len(clean)).save(out, quality=88)
    click.echo(f"{out}: {len(clean)} people")


def lit_from(yaw_deg: float, count: int) -> Light:
    """Light mostly from one side, for `count` faces."""
    return light_from(yaw_deg, 0.0, torch.full((count,), 0.35), torch.full((count,), 0.75))


def photos(level: str, people: int, source: tuple[str, ...]) -> dict:
    """A batch of people, evenly spread over the test split, degraded and clean."""
    pipeline = [
        dict(type=LoadPhoto),
        dict(type=CropByLandmarks, image_size=SIZE),
        dict(type=Degrade, degradation=dict(type=DegradationLevel, name=level), seed=0),
        dict(type=PackPhoto),
    ]
    data = ManifestPhotos(split="test", pipeline=pipeline)
    rows = [i for i in range(len(data)) if not source or data.get_data_info(i)["source"] in source]
    chosen = np.linspace(0, len(rows) - 1, min(people, len(rows))).round().astype(int)
    return default_collate([data[rows[i]] for i in chosen])


def uint8(photo: torch.Tensor) -> list[np.ndarray]:
    return list((photo * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy())


def shown(photo: torch.Tensor, tile: int) -> torch.Tensor:
    return interpolate(photo, size=(tile, tile), mode="bicubic", antialias=True).clamp(0, 1)


if __name__ == "__main__":
    with torch.no_grad():
        main()
