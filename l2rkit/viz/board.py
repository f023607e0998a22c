"""Pictures of a run for the visualizer: panels, and histograms of views and lights.

MMEngine's visualizer passes them to the config's back ends: files in the work dir by default,
TensorBoard and others. MMEngine's own `LoggerHook` sends losses.
"""

import io

import numpy as np
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from PIL import Image

from ..structures import Face, each_tensor
from .hook import Drawing, first_scene
from .panel import panel

BINS = 24
QUANTITIES = (
    "pitch, deg", "yaw, deg", "roll, deg", "shift x", "shift y", "shift z",
    "ambient", "diffuse", "light from left (-) to right, deg", "light from above (-), deg",
)  # fmt: skip


@HOOKS.register_module()
class BoardHook(Drawing):
    """Sends pictures `panel` and `spread` to the visualizer every `interval` iterations.

    Args:
        interval: iterations between pictures.
        photos: number of first validation photos on a panel.
        faces: number of first validation photos in the histograms of views and lights.
    """

    def __init__(self, interval: int = 1000, photos: int = 8, faces: int = 64) -> None:
        self.interval, self.photos, self.faces = interval, photos, faces

    def draw(self, runner: Runner) -> None:
        """Draws the predictions for validation photos."""
        model, scene = first_scene(runner, max(self.photos, self.faces))
        few = each_tensor(scene, lambda tensor: tensor[: self.photos])
        shown = panel(few.target, few.face, few.rendering, model.render)
        for name, picture in (("panel", shown), ("spread", spread(scene.face))):
            runner.visualizer.add_image(name, np.asarray(picture), step=runner.iter + 1)


def quantities(face: Face) -> np.ndarray:
    """(B, 10): the `QUANTITIES` of views and lights."""
    view, light = (x.detach().cpu().double().numpy() for x in (face.view, face.light.packed()))
    x, y, z = light[:, 2:].T
    towards = np.degrees(np.arctan2([x, y], -z)).T
    return np.concatenate([np.degrees(view[:, :3]), view[:, 3:], light[:, :2], towards], 1)


def spread(face: Face) -> Image.Image:
    """A histogram of each of the `QUANTITIES` over the faces of a batch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    for axes, name, values in zip(figure.subplots(2, 5).flat, QUANTITIES, quantities(face).T):
        axes.hist(values, bins=BINS)
        axes.set_title(name, fontsize="small")
        axes.set_yticks([])
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return Image.open(file).convert("RGB")
