"""Training, saving and measuring of a restorer."""

import pytest
import torch
from torch import nn

from l2rkit.errors import ConfigError, PartError, WeightsError
from l2rkit.io.weights import APART, apart, write_weights
from l2rkit.ops.resize import resized
from l2rkit.restore import FaceRestorer
from l2rkit.restore.trainer import PhotoRestorer


class Halve(nn.Module):
    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return photo / 2


class Twice(nn.Module):
    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        return resized(photo, (32, 32), "bicubic")


def tiny() -> FaceRestorer:
    return FaceRestorer(None, image_size=16, widths=(4, 8))


def test_the_loss_is_the_mean_difference_from_the_clean_photo():
    clean = torch.rand(2, 3, 16, 16)
    losses = PhotoRestorer(Halve())(clean, clean, mode="loss")
    assert set(losses) == {"loss_colour"}
    assert losses["loss_colour"].item() == pytest.approx(clean.mean().item() / 2, rel=1e-5)
    assert PhotoRestorer()(clean, clean, mode="loss")["loss_colour"] == 0


def test_features_are_compared_and_stay_frozen():
    features = nn.Conv2d(3, 2, 3)
    model = PhotoRestorer(Halve(), features, perceptual=2).train()
    clean = torch.rand(1, 3, 8, 8)
    loss = model(clean, clean, mode="loss")["loss_features"]
    expected = 2 * (features(clean / 2) - features(clean)).square().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert not any(weight.requires_grad for weight in model.losses.parameters())
    assert not model.losses.training


def test_what_is_measured_has_the_clean_photos_size():
    clean = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    (shown,) = PhotoRestorer(Twice())(clean, clean, mode="predict")
    assert shown.shape == clean.shape
    assert (shown - clean).abs().max() < 0.02
    assert PhotoRestorer(Twice())(clean).shape == (1, 3, 32, 32)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ConfigError, match="PhotoRestorer: precision is one of"):
        PhotoRestorer(precision="float8")


def test_half_precision_keeps_the_photo_itself_exact(halved):
    photo = torch.rand(1, 3, 16, 16)
    model = PhotoRestorer(tiny(), precision="bfloat16")
    assert torch.equal(model(photo), photo)  # untrained, it adds nothing


def test_a_face_restorer_learns_what_is_missing():
    torch.manual_seed(0)
    model = PhotoRestorer(tiny())
    photo = torch.rand(8, 3, 16, 16) * 0.5
    clean = photo * 1.5 + 0.1
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    start = model(photo, clean, mode="loss")["loss_colour"].item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = model(photo, clean, mode="loss")["loss_colour"]
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 * start
    assert all(weight.grad is not None for weight in model.parameters())


def test_any_size_comes_in_and_one_goes_out():
    part = FaceRestorer(None, image_size=32, widths=(4, 8))
    photo = torch.rand(1, 3, 20, 16)
    assert torch.equal(part(photo), resized(photo, (32, 32), "bicubic").clamp(0, 1))


def test_weights_come_back_from_a_file_and_from_a_run(tmp_path):
    torch.manual_seed(0)
    part, photo = tiny(), torch.rand(1, 3, 16, 16)
    for weight in part.parameters():
        nn.init.normal_(weight, std=0.1)
    write_weights(part.state_dict(), tmp_path / "own.safetensors")
    torch.save({"state_dict": PhotoRestorer(part).state_dict()}, tmp_path / "run.pth")
    for file in ("own.safetensors", "run.pth"):
        again = FaceRestorer(str(tmp_path / file), image_size=16, widths=(4, 8))
        assert torch.equal(again(photo), part(photo))
    with pytest.raises(WeightsError, match="of another architecture"):
        FaceRestorer(str(tmp_path / "own.safetensors"), widths=(4, 4))
    with pytest.raises(WeightsError, match=r"no_such\.safetensors' is not shipped"):
        FaceRestorer("no_such")


def test_a_size_that_the_widths_cannot_halve_is_refused():
    assert FaceRestorer(None, image_size=12, widths=(4, 8)).image_size == 12
    with pytest.raises(PartError, match="with 5 widths image_size is a multiple of 32, not 48"):
        FaceRestorer(None, image_size=48, widths=(4, 4, 4, 4, 4))


def test_shipped_weights_can_be_trained_on():
    """Then they are in a model's own files; frozen ones are not."""
    photo = torch.rand(1, 3, 128, 128)
    for frozen in (True, False):
        model = PhotoRestorer(dict(type=FaceRestorer, frozen=frozen))
        assert torch.equal(model.restore(photo), FaceRestorer()(photo))
        assert all(w.requires_grad is not frozen for w in model.restore.parameters())
        assert apart(model)[len(APART) :] == (("restore.",) if frozen else ())
