"""Hooks that draw pictures in training and tests, and a test's progress bar."""

import sys
from abc import ABC, abstractmethod
from pathlib import Path

from mmengine.dist import get_rank, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.utils import ProgressBar
from torch import nn
from torch.utils.data import default_collate

from ..io.files import png, write_atomic
from ..structures import Scene, unbatched
from .panel import panel
from .sheet import sheet


class Drawing(Hook, ABC):
    """Calls `draw` every `interval` iterations of training, in the first process."""

    interval: int

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        if is_main_process() and self.every_n_train_iters(runner, self.interval):
            self.draw(runner)

    @abstractmethod
    def draw(self, runner: Runner) -> None: ...


@HOOKS.register_module()
class PanelHook(Drawing):
    """Saves a panel of the first validation photos in the work dir every `interval` iterations.

    Args:
        interval: iterations between panels.
        photos: number of photos on a panel.
    """

    def __init__(self, interval: int = 1000, photos: int = 8) -> None:
        self.interval, self.photos = interval, photos

    def draw(self, runner: Runner) -> None:
        """Writes `panels/<iteration>.png`."""
        model, scene = first_scene(runner, self.photos)
        folder = Path(runner.work_dir) / "panels"
        folder.mkdir(exist_ok=True)
        picture = panel(scene.target, scene.face, scene.rendering, model.render)
        write_atomic(folder / f"{runner.iter + 1:07d}.png", png(picture))


def first_scene(runner: Runner, photos: int) -> tuple[nn.Module, Scene]:
    """The model, and its scene of the first validation photos; its training mode is restored."""
    dataset = runner.val_dataloader.dataset
    batch = default_collate([dataset[i] for i in range(min(photos, len(dataset)))])
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    training = model.training
    model.eval()
    (scene,) = model.test_step(batch)
    model.train(training)
    return model, scene


@HOOKS.register_module()
class GridHook(Drawing):
    """Saves a sheet of a prior's images in the work dir every `interval` iterations.

    All sheets have the same latents.

    Args:
        interval: iterations between sheets.
        images: number of images on a sheet.
    """

    def __init__(self, interval: int = 500, images: int = 64) -> None:
        self.interval, self.images = interval, images

    def draw(self, runner: Runner) -> None:
        """Writes `samples/<iteration>.png`."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        folder = Path(runner.work_dir) / "samples"
        folder.mkdir(exist_ok=True)
        sheet(model.sample(self.images)).save(folder / f"{runner.iter + 1:07d}.png")


@HOOKS.register_module()
class ShownPanels(Hook):
    """Saves a panel of each photo of a test in `folder`, as NUMBER.png by its index in the set."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def before_test_epoch(self, runner: Runner) -> None:
        self.done = 0

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        (scene,) = outputs
        self.folder.mkdir(parents=True, exist_ok=True)
        for one in unbatched(scene, len(scene.target)):
            number = self.done * get_world_size() + get_rank()  # the order of MMEngine's sampler
            picture = panel(one.target, one.face, one.rendering, model.render)
            picture.save(self.folder / f"{number:06d}.png")
            self.done += 1


@HOOKS.register_module()
class Progress(Hook):
    """Shows a progress bar of a test on standard error, of the first of several processes."""

    def before_test_epoch(self, runner: Runner) -> None:
        if is_main_process():
            self.bar = ProgressBar(len(runner.test_dataloader), file=sys.stderr)

    def after_test_iter(self, *args: object, **kwargs: object) -> None:
        if is_main_process():
            self.bar.update()

    def after_test_epoch(self, *args: object, **kwargs: object) -> None:
        if is_main_process():
            print(file=sys.stderr, flush=True)
