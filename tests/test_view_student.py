"""Training of views alone."""

import pytest
import torch
from torch import nn
from torch.optim import Adam

from l2rkit.config import load_config
from l2rkit.decompose import LAPDecomposer, Unsup3DDecomposer
from l2rkit.engine import GuardedOptimWrapper
from l2rkit.errors import ConfigError, PartError
from l2rkit.geometry import rays
from l2rkit.losses import FixedPivot
from l2rkit.model import FaceReconstructor
from l2rkit.refine import RefinedGeometry
from l2rkit.render import GridRenderer
from l2rkit.view_student import ViewStudent


class Brightness(nn.Module):
    """The mean brightness of the clean photo is the yaw to be learnt."""

    def forward(self, scene):
        return (scene.face.view[:, 1] - scene.target.mean((1, 2, 3))).abs().mean()


def student(**changes):
    torch.manual_seed(0)
    parts = dict(
        decompose=Unsup3DDecomposer(32, width=8, encoder_width=8, view_gain=1.0),
        render=GridRenderer(),
        losses=dict(yaw=Brightness(), steady=FixedPivot(0.01)),
        refine=dict(geometry=RefinedGeometry(widths=(8, 8))),
    )
    return ViewStudent(**{**parts, **changes})


def test_a_step_changes_the_views_alone_and_learns_them():
    model = student()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = GuardedOptimWrapper(Adam(model.parameters(), 3e-3))
    first = None
    for _ in range(30):
        clean = torch.rand(8, 1, 1, 1).expand(8, 3, 32, 32)
        data = dict(photo=clean * 0.5, clean=clean)
        report = model.train_step(data, optimizer)
        first = report["loss_yaw"].item() if first is None else first
    assert set(report) == {"loss", "loss_yaw", "loss_steady"}
    assert report["loss_yaw"].item() < first / 2
    changed = {name for name, value in model.state_dict().items() if (value != before[name]).any()}
    assert changed and all(name.startswith("decompose.view.") for name in changed)


def test_views_are_predicted_at_the_precision_of_the_method(halved):
    photo = torch.rand(2, 3, 32, 32)
    kinds, model = [], student(precision="bfloat16")
    first = next(part for part in model.decompose.view.modules() if isinstance(part, nn.Conv2d))
    first.register_forward_hook(lambda part, given, made: kinds.append(made.dtype))
    assert model.view(photo).dtype == torch.float32 and kinds == [torch.bfloat16]
    changed = load_config("l2r_heads2_views", {"model.precision": "bfloat16"})
    assert changed.model.precision == "bfloat16"
    with pytest.raises(ConfigError, match="did you mean 'precision'"):
        load_config("l2r_heads2_views", {"model.precison": "bfloat16"})


def test_it_predicts_what_the_whole_method_does_and_has_its_weights():
    model = student().eval()
    whole = FaceReconstructor(
        decompose=Unsup3DDecomposer(32, width=8, encoder_width=8),
        render=GridRenderer(),
        refine=dict(geometry=RefinedGeometry(widths=(8, 8))),
    ).eval()
    whole.load_state_dict(model.state_dict())
    photo = torch.rand(2, 3, 32, 32)
    (scene,), (expected,) = model(photo, mode="predict"), whole(photo, mode="predict")
    assert torch.equal(scene.rendering.image, expected.rendering.image)
    with torch.no_grad():
        torch.testing.assert_close(model.view(photo), expected.face.view)


def test_photos_of_another_size_are_resized_and_restored_first():
    class Darker(nn.Module):
        def forward(self, photo):
            return photo / 2

    photo = torch.rand(2, 3, 64, 64)
    model = student(restore=Darker()).eval()
    with torch.no_grad():
        torch.testing.assert_close(model.view(photo), model(photo).view)
        assert (model.view(photo) - student().eval().view(photo)).abs().max() > 1e-4


def test_a_decomposer_without_views_by_themselves_is_refused():
    model = student(decompose=LAPDecomposer(32, width=8, encoder_width=8))
    with pytest.raises(PartError, match="LAPDecomposer predicts no view by itself"):
        model.view(torch.rand(2, 3, 32, 32))


class Centroid(Unsup3DDecomposer):
    """Its view is where the brightness of the photo is, in scene units at depth 1."""

    def predict_view(self, photo):
        across = photo.mean(1)
        x, y, _ = rays(photo.shape[-1], photo)[0]
        weights = across / across.sum((1, 2), keepdim=True)
        view = photo.new_zeros(len(photo), 6)
        view[:, 3], view[:, 4] = (weights * x).sum((1, 2)), (weights * y).sum((1, 2))
        return view


def test_views_of_moved_photos_are_moved_back():
    photo = torch.zeros(16, 3, 32, 32)
    photo[:, :, 14:17, 17:20] = 1  # away from the edge, so that no motion cuts it
    model = student(decompose=Centroid(32, width=8, encoder_width=8), shift=0.01, roll_deg=10.0)
    expected = model.view(photo)
    view = model.scene(photo).face.view
    torch.testing.assert_close(view[:, 3:], expected[:, 3:], atol=2e-4, rtol=0)
    assert view[:, 2].std() > 0.05  # it cannot see the roll, which is taken off nevertheless
