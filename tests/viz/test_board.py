"""The charts of a run: angles in degrees, and pictures for all back ends."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.visualization import Visualizer
from torch import nn

from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light, Scene, each_tensor
from l2rkit.testing import example_face
from l2rkit.viz import BoardHook
from l2rkit.viz.board import QUANTITIES, quantities, spread


class Model(nn.Module):
    """Sees the example face in any photo, and notes in which mode it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.render, self.modes = GridRenderer(), []

    def test_step(self, batch: dict) -> list[Scene]:
        self.modes.append(self.training)
        count = len(batch["photo"])
        face = each_tensor(example_face(16), lambda t: t[:1].expand(count, *t.shape[1:]))
        return [Scene(batch["photo"], face, self.render(face))]


@pytest.fixture
def runner(tmp_path):
    photos = [dict(photo=torch.full((3, 16, 16), 0.1 * i)) for i in range(5)]
    back_ends = [dict(type="LocalVisBackend")]
    return SimpleNamespace(
        val_dataloader=SimpleNamespace(dataset=photos),
        model=Model(),
        iter=9,
        visualizer=Visualizer(vis_backends=back_ends, save_dir=str(tmp_path)),
    )


def test_quantities_are_degrees_of_a_known_view_and_light():
    away = math.sqrt(0.5)
    direction = torch.tensor([[-away, 0.0, -away], [0.0, -0.5, -math.sqrt(0.75)]])
    light = Light(torch.tensor([0.2, 0.3]), torch.tensor([0.7, 0.6]), direction)
    view = torch.tensor([[0.1, 0.2, 0.3, 0.01, 0.02, 0.03]]).repeat(2, 1)
    face = Face(torch.ones(2, 1, 4, 4), torch.ones(2, 3, 4, 4), light, view)
    angles = [5.7296, 11.4592, 17.1887]
    expected = [[*angles, 0.01, 0.02, 0.03, 0.2, 0.7, -45, 0]]
    expected += [[*angles, 0.01, 0.02, 0.03, 0.3, 0.6, 0, -30]]
    np.testing.assert_allclose(quantities(face), expected, atol=1e-4)
    assert len(QUANTITIES) == 10
    assert spread(face).size == (1200, 450)


def test_pictures_reach_the_back_ends_on_time(runner, tmp_path):
    hook = BoardHook(interval=10, photos=2, faces=4)
    hook.after_train_iter(runner, 9)
    runner.iter = 10
    hook.after_train_iter(runner, 10)
    names = sorted(path.name for path in tmp_path.rglob("*.png"))
    assert names == ["panel_10.png", "spread_10.png"]
    assert runner.model.modes == [False] and runner.model.training


def test_a_panel_has_as_many_rows_as_photos(runner, monkeypatch):
    sent = {}
    runner.visualizer = SimpleNamespace(
        add_image=lambda name, image, step: sent.update({name: (image, step)})
    )
    BoardHook(photos=2, faces=4).draw(runner)
    image, step = sent["panel"]
    assert image.dtype == np.uint8 and image.shape == (16 + 2 * 128, 8 * 128, 3) and step == 10
    assert abs(int(image[16 + 128 + 64, 64, 0]) - 26) <= 1  # the second photo is 0.1 grey


def test_tensorboard_gets_them_too(runner, tmp_path):
    pytest.importorskip("tensorboard")
    back_ends = [dict(type="TensorboardVisBackend")]
    runner.visualizer = Visualizer(vis_backends=back_ends, save_dir=str(tmp_path / "board"))
    BoardHook(photos=2, faces=4).draw(runner)
    runner.visualizer.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = tmp_path.rglob("events.out.*")
    found = EventAccumulator(str(events)).Reload()
    assert found.Tags()["images"] == ["panel", "spread"]
    assert found.Images("panel")[0].step == 10
