"""The whole restorer: outputs, trained weights, and errors."""

from shutil import copy

import pytest
import torch

from l2rkit.errors import PartError, WeightsError
from l2rkit.io.weights import write_weights
from l2rkit.registry import RESTORERS
from l2rkit.restore import DFDNet
from l2rkit.restore.dfdnet.components import corners, template, windows
from l2rkit.restore.dfdnet.dictionary import Dictionary
from l2rkit.restore.dfdnet.features import CHANNELS, STRIDES, PyramidFeatures
from l2rkit.restore.dfdnet.network import Exchange, Modulated, MultiDilation
from l2rkit.zoo import zoo_file

SMALL = dict(atoms=3, width=4)


@pytest.fixture
def part() -> DFDNet:
    """A small one whose last layer, unlike that of a fresh one, is not zero."""
    torch.manual_seed(0)
    part = DFDNet(None, **SMALL)
    torch.nn.init.normal_(part.decode.last.weight, std=0.1)
    return part


def photos(size: int = 128, batch: int = 2) -> torch.Tensor:
    coarse = torch.rand(batch, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")


def test_a_fresh_one_gives_the_photo_back():
    photo = photos()
    torch.testing.assert_close(DFDNet(None, **SMALL)(photo), photo)


@pytest.mark.parametrize("size", [40, 128, 200])
def test_any_size_becomes_its_own_within_the_range(part, size):
    with torch.no_grad():
        restored = part(4 * photos(size) - 1.5)
    assert restored.shape == (2, 3, 128, 128)
    assert restored.min() == 0 and restored.max() == 1


def test_each_trained_weight_gets_a_gradient_and_the_rest_stays(part):
    before = {name: value.clone() for name, value in part.state_dict().items()}
    optimizer = torch.optim.SGD(part.parameters(), lr=0.1)
    (part(photos()) - 0.5).square().sum().backward()
    optimizer.step()
    frozen = ("features.", "dictionary.")
    for name, weight in part.named_parameters():
        if not name.startswith(frozen):
            assert weight.grad is not None and weight.grad.abs().sum() > 0, name
            assert weight.grad.isfinite().all(), name
    for name, value in part.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name


def test_photos_of_a_batch_do_not_touch_each_other(part):
    photo = photos(batch=3)
    landmarks = template(128) + torch.tensor([0.0, 7, -12])[:, None, None]
    together = part(photo, landmarks)
    for i in range(3):
        alone = part(photo[i : i + 1], landmarks[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-5)
    assert torch.equal(part(photo), part(photo, template(128)))
    assert not torch.allclose(together[2], part(photo)[2])


def test_features_have_their_strides_and_move_with_the_photo():
    maps = PyramidFeatures()(photos())
    assert [m.shape[1:] for m in maps] == [
        (channels, 128 // stride, 128 // stride) for channels, stride in zip(CHANNELS, STRIDES)
    ]
    moved = PyramidFeatures()(photos().roll((32, 32), (2, 3)))
    for seen, then, stride in zip(maps, moved, STRIDES):
        step = 32 // stride
        mid = slice(64 // stride, 96 // stride)  # from two borders of what was moved in
        there = then[..., mid, mid]
        here = seen[..., mid.start - step : mid.stop - step, mid.start - step : mid.stop - step]
        inner = slice(1, -1) if stride < 16 else slice(1, 1)
        torch.testing.assert_close(there[..., inner, inner], here[..., inner, inner])


def test_the_exchange_adds_trusted_atoms_in_the_boxes_alone():
    """With confidence 0.5 everywhere, half of the atom in its own style is added."""
    exchange, dictionary = Exchange(24), Dictionary(3, 128)
    for layers in exchange.confidence.values():
        torch.nn.init.zeros_(layers[-1].weight)
        torch.nn.init.constant_(layers[-1].bias, 0.5)
    features = torch.randn(1, 24, 16, 16)
    added = exchange(features, windows(template(128), 128, 8), dictionary, 8) - features
    expected = torch.zeros_like(features)
    for name, first in corners(template(128), 128, 8).items():
        x, y = first[0].tolist()
        wide = 4 if name == "nose" else 6
        box = (..., slice(y, y + wide), slice(x, x + wide))
        expected[box] += 0.5 * dictionary.swapped(features[box], name, 8)
    torch.testing.assert_close(added, expected, rtol=0, atol=1e-5)


def test_modulation_scales_and_shifts():
    layer = Modulated(width=2, features=3)
    layer.mix = torch.nn.Identity()
    torch.nn.init.zeros_(layer.say[-1].weight)
    layer.say[-1].bias.data = torch.tensor([1.0, 0.0, 0.0, 5.0])  # two scales, two shifts
    x = torch.rand(1, 2, 4, 4)
    expected = torch.stack([2 * x[:, 0], x[:, 1] + 5], 1)
    torch.testing.assert_close(layer(x, torch.rand(1, 3, 4, 4)), expected)


def test_context_reaches_five_cells_and_keeps_what_came_in():
    layer = MultiDilation(4)
    x = torch.zeros(1, 4, 17, 17, requires_grad=True)
    (reach,) = torch.autograd.grad(layer(x)[0, :, 8, 8].sum(), x)
    rows = reach.abs().sum((0, 1, 3)).nonzero()[:, 0]
    assert (rows.min(), rows.max()) == (8 - 5, 8 + 5)  # 4 by dilation, 1 by the joining layer
    torch.nn.init.zeros_(layer.join.weight)
    torch.nn.init.zeros_(layer.join.bias)
    x = torch.rand(1, 4, 8, 8)
    assert torch.equal(layer(x), x)


def test_weights_go_round_and_come_back_frozen(part, tmp_path):
    path = tmp_path / "mine.safetensors"
    write_weights(part.state_dict(), path)
    read = DFDNet(str(path), **SMALL)
    assert torch.equal(read(photos()), part(photos()))
    assert not any(weight.requires_grad for weight in read.parameters())
    write_weights(part.state_dict(), path, bits=16)
    error = DFDNet(str(path), **SMALL)(photos()) - part(photos())
    assert error.abs().max() < 0.02


def test_the_dictionary_is_the_files(tmp_path):
    path = tmp_path / "dictionary.safetensors"
    atoms = Dictionary(3, 128).state_dict()
    write_weights(atoms, path)
    part = DFDNet(None, str(path), **SMALL)
    assert torch.equal(part.dictionary.mouth_16, atoms["mouth_16"])
    with pytest.raises(WeightsError, match=r"'left_eye_16' is \(3, 24, 3, 3\), not \(64,"):
        DFDNet(None, str(path))


def test_what_does_not_fit_is_refused_in_one_line(part, tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    write_weights(part.state_dict(), path)
    copy(zoo_file("mobilenet_v2_features.safetensors"), tmp_path)
    monkeypatch.setattr("l2rkit.zoo.FOLDER", tmp_path)
    cases = [
        (WeightsError, "'dfdnet.safetensors' is not shipped", {}),
        (WeightsError, "of another architecture", dict(weights=str(path), atoms=3, width=8)),
        (WeightsError, "no weights at nowhere/x.pth", dict(weights="nowhere/x.pth")),
        (WeightsError, "build_dictionary.py", dict(weights=None, dictionary="nowhere")),
        (PartError, "bring their dictionary", dict(dictionary="some.safetensors")),
        (PartError, "a multiple of 128 px, not 64", dict(weights=None, image_size=64)),
        (PartError, "atoms >= 1 and width >= 2, not 0 and 4", dict(weights=None, atoms=0, width=4)),
    ]
    for error, words, arguments in cases:
        with pytest.raises(error, match=words) as caught:
            RESTORERS.build(dict(type="DFDNet", **arguments))
        assert "\n" not in str(caught.value)
    path.rename(tmp_path / "dfdnet.safetensors")
    assert torch.equal(DFDNet(**SMALL)(photos()), part(photos()))


def test_half_precision_inside(part):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        restored = part(photos())
    assert restored.dtype == torch.float32
    torch.testing.assert_close(restored, part(photos()), rtol=0, atol=0.1)


def test_it_fits_four_million_numbers():
    part = DFDNet(None)
    assert sum(value.numel() for value in part.state_dict().values()) < 4_000_000


def test_it_learns_what_a_photo_lacks():
    """Less than half of the error is left after few steps on a photo without half of its red."""
    torch.manual_seed(0)
    part = DFDNet(None, **SMALL)
    clean = photos(batch=1).clamp(0.2, 0.8)
    photo = clean * torch.tensor([0.5, 1, 1])[:, None, None]
    optimizer = torch.optim.Adam(part.parameters(), lr=0.01)
    errors = []
    for _ in range(20):
        error = (part(photo) - clean).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.5 * errors[0]
