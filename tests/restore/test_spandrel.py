"""Checkpoints read by spandrel: outputs, and refused files."""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from l2rkit.errors import PartError, WeightsError
from l2rkit.registry import RESTORERS
from l2rkit.restore import Spandrel
from l2rkit.restore.rrdb import RRDBNet
from l2rkit.restore.spandrel import FACE, at_face_size, read_tensors, same_noise
from l2rkit.testing import check_restorer


@pytest.fixture
def spandrel(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The library. Where torchvision is missing or of another torch, functions that only two of
    its architectures use, LaMa and RestoreFormer, fail when they are called; no test here does."""
    if importlib.util.find_spec("spandrel") is None:
        pytest.skip("spandrel is not installed: pip install spandrel")
    try:
        import torchvision  # noqa: F401
    except Exception:

        def absent(*_: object, **__: object) -> None:
            raise AssertionError("this needs torchvision itself")

        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            monkeypatch.delitem(sys.modules, name)
        names = "torchvision", "torchvision.transforms", "torchvision.transforms.functional"
        for name in names:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        functional = sys.modules[names[-1]]
        functional.normalize = functional.rotate = absent
        functional.InterpolationMode = SimpleNamespace(NEAREST=0, BILINEAR=1)
    return pytest.importorskip("spandrel", reason="spandrel does not load")


@pytest.fixture
def rrdb() -> RRDBNet:
    """A small RRDBNet; the library takes it that growth is 32, as published."""
    torch.manual_seed(0)
    return RRDBNet(width=8, blocks=2).eval()


def saved(content: object, path: Path) -> str:
    torch.save(content, path)
    return str(path)


@pytest.mark.parametrize("within", ["params_ema", "state_dict", None])
def test_agrees_with_our_own_rrdbnet(
    spandrel: ModuleType, rrdb: RRDBNet, tmp_path: Path, within: str | None
) -> None:
    state = rrdb.state_dict()
    path = saved({within: state} if within else state, tmp_path / "x4.pth")
    part = RESTORERS.build(dict(type="Spandrel", weights=path))
    photo = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = torch.cat([rrdb(one[None]) for one in photo]).clamp(0, 1)
    assert expected.std() > 0.01 and part.scale == 4 and not part.needs_whole_photo
    assert torch.equal(part(photo), expected)
    assert not part.train().network.training
    assert not any(weight.requires_grad for weight in part.parameters())
    # what comes out may take part in a network that is trained
    check_restorer(part)
    scale = torch.ones(1, requires_grad=True)
    (part(photo) * scale).sum().backward()
    torch.testing.assert_close(scale.grad, expected.sum()[None])


def test_safetensors_are_read(spandrel: ModuleType, rrdb: RRDBNet, tmp_path: Path) -> None:
    import safetensors.torch

    path = tmp_path / "x4.safetensors"
    safetensors.torch.save_file(rrdb.state_dict(), path)
    photo = torch.rand(1, 3, 5, 6)
    assert torch.equal(Spandrel(str(path))(photo), rrdb(photo).detach().clamp(0, 1))


def compact(cin: int, width: int, scale: int) -> nn.ModuleDict:
    """Real-ESRGAN's compact network (SRVGGNet), of two layers, and nothing but its names."""
    layers = [nn.Conv2d(cin, width, 3, 1, 1), nn.PReLU(width)]
    layers += [nn.Conv2d(width, width, 3, 1, 1), nn.PReLU(width)]
    layers += [nn.Conv2d(width, cin * scale**2, 3, 1, 1)]
    return nn.ModuleDict(dict(body=nn.Sequential(*layers)))


def test_scale_is_what_the_library_states(spandrel: ModuleType, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = compact(3, 8, 2)
    part = Spandrel(saved({"params": network.state_dict()}, tmp_path / "x2.pth"))
    photo = torch.rand(1, 3, 6, 5)
    with torch.no_grad():
        added = nn.functional.pixel_shuffle(network["body"](photo), 2)
    nearest = photo.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert part.scale == 2
    torch.testing.assert_close(part(photo), (added + nearest).clamp(0, 1))


def test_sizes_that_a_model_cannot_take_are_padded_and_cut(spandrel: ModuleType) -> None:
    seen = []

    def double(network: nn.Module, photo: Tensor) -> Tensor:
        seen.append(tuple(photo.shape))
        return photo.repeat_interleave(2, 2).repeat_interleave(2, 3)

    part = standing_in(spandrel, double, "SR", 2, minimum=16, multiple_of=8, square=True)
    photo = torch.rand(2, 3, 5, 18)
    assert torch.equal(part(photo), photo.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert seen == [(1, 3, 24, 24)] * 2


def test_face_restorers_see_512_px_and_the_same_noise(spandrel: ModuleType) -> None:
    seen = []

    def noisy(network: nn.Module, photo: Tensor) -> Tensor:
        seen.append(tuple(photo.shape))
        return 0.9 * photo + 0.1 * torch.rand_like(photo)

    part = standing_in(spandrel, noisy, "FaceSR", 1, minimum=512)
    ramp = torch.linspace(0.1, 0.9, 40).view(1, 1, 40, 1).expand(1, 3, 40, 30)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = part(ramp)
    assert torch.equal(first, part(ramp)) and torch.equal(torch.get_rng_state(), before)
    assert part.needs_whole_photo and seen == [(1, 3, 512, 512)] * 2
    check_restorer(part)  # also: equal photos of a batch are restored alike
    # noise of mean 1/2 is averaged away over some 13 by 13 px
    torch.testing.assert_close(first, 0.9 * ramp + 0.05, atol=0.02, rtol=0)


def standing_in(
    spandrel: ModuleType, call: object, purpose: str, scale: int, **sizes: object
) -> Spandrel:
    """The part around a descriptor that is the library's own, of a network that is not."""
    part = Spandrel.__new__(Spandrel)
    nn.Module.__init__(part)
    network = nn.Conv2d(3, 3, 1)
    architecture = SimpleNamespace(name="stand-in")
    options = dict(supports_half=True, supports_bfloat16=True, scale=scale, call_fn=call)
    channels = dict(input_channels=3, output_channels=3)
    descriptor = spandrel.ImageModelDescriptor(
        network, network.state_dict(), architecture, purpose, [], **options, **channels,
        size_requirements=spandrel.SizeRequirements(**sizes),
    )  # fmt: skip
    part.take(descriptor)
    return part


@pytest.mark.parametrize(("height", "width", "scale"), [(64, 64, 1), (40, 64, 2), (600, 700, 1)])
def test_face_size_and_back_keeps_the_picture(height: int, width: int, scale: int) -> None:
    seen = []

    def enlarged(photo: Tensor) -> Tensor:
        seen.append(tuple(photo.shape[2:]))
        return photo.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    y = torch.linspace(0.2, 0.8, height)[:, None]
    x = torch.linspace(-0.1, 0.1, width)
    photo = (y + x).expand(1, 3, height, width)
    back = at_face_size(enlarged, photo, scale)
    expected = nn.functional.interpolate(photo, scale_factor=scale, mode="nearest")
    assert seen == [(FACE, FACE)] and back.shape == expected.shape
    torch.testing.assert_close(back, expected, atol=0.01, rtol=0)


def test_noise_elsewhere_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with same_noise(torch.device("cpu")):
        first = torch.rand(3)
    with same_noise(torch.device("cpu")):
        assert torch.equal(first, torch.rand(3))
    assert torch.equal(before, torch.get_rng_state())


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".pt"])
def test_nothing_in_a_file_is_run(tmp_path: Path, suffix: str, rrdb: RRDBNet) -> None:
    run = tmp_path / "was_run"
    content = {"params": rrdb.state_dict(), "other": Payload(run)}
    path = saved(content, tmp_path / f"x{suffix}")
    assert read_tensors(path)["params"].keys() == rrdb.state_dict().keys()
    bare = saved(Payload(run), tmp_path / f"bare{suffix}")
    with pytest.raises(WeightsError, match="holds no state dict"):
        Spandrel(bare)
    assert not run.exists()
    torch.load(bare, weights_only=False)  # unsafe loading would have run it
    assert run.exists()


def test_programs_of_torchscript_are_refused(
    tmp_path: Path, rrdb: RRDBNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ran = tmp_path / "x.pt", []
    saved(rrdb.state_dict(), path)
    with zipfile.ZipFile(path, "a") as archive:  # by this torch.load knows them, and runs them
        archive.writestr(f"{archive.namelist()[0].split('/')[0]}/constants.pkl", b"")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: ran.append(1))
    with pytest.raises(WeightsError, match="was refused: it is a TorchScript program"):
        Spandrel(str(path))
    assert not ran
    with pytest.warns(UserWarning, match="TorchScript"):
        torch.load(path, weights_only=False)
    assert ran


def test_wrong_files_are_one_line(tmp_path: Path) -> None:
    def refused(path: Path, words: str) -> None:
        with pytest.raises(WeightsError, match=words) as said:
            Spandrel(str(path))
        assert path.name in str(said.value) and "\n" not in str(said.value)

    refused(tmp_path / "absent.pth", "no weights at")
    text = tmp_path / "text.pth"
    text.write_text("no checkpoint\nat all")
    refused(text, "is not a complete torch checkpoint")
    text.rename(tmp_path / "text.safetensors")
    refused(tmp_path / "text.safetensors", "is not a complete safetensors file")
    for name, content in (("list", [torch.ones(1)]), ("number", {3: torch.ones(1)}), ("none", {})):
        saved(content, tmp_path / f"{name}.pth")
        refused(tmp_path / f"{name}.pth", "holds no state dict")


def test_wrong_models_are_one_line(spandrel: ModuleType, tmp_path: Path, rrdb: RRDBNet) -> None:
    def refused(content: object, words: str) -> None:
        path = saved(content, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match=words) as said:
            Spandrel(path)
        assert path in str(said.value) and "\n" not in str(said.value)

    refused({"decompose.weight": torch.ones(2)}, "no architecture with 'decompose.weight'")
    refused({"params": {"a": torch.ones(2), "b": "text"}}, "holds no state dict")
    refused(compact(1, 4, 2).state_dict(), "from 1 to 1 channels, not from RGB to RGB")
    cut = dict(rrdb.state_dict())
    del cut["body.1.rdb2.conv3.weight"]
    refused(cut, "is no whole model: RuntimeError")


def test_mask_fillers_are_refused(
    spandrel: ModuleType, rrdb: RRDBNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def masked(loader: object, state: dict) -> object:
        network = nn.Conv2d(4, 3, 1)
        architecture = SimpleNamespace(name="LaMa")
        flags = dict(supports_half=True, supports_bfloat16=True)
        return spandrel.MaskedImageModelDescriptor(
            network, network.state_dict(), architecture, "Inpainting", [], **flags,
            input_channels=4, output_channels=3,
        )  # fmt: skip

    monkeypatch.setattr(spandrel.ModelLoader, "load_from_state_dict", masked)
    with pytest.raises(WeightsError, match="is LaMa, which fills masks"):
        Spandrel(saved(rrdb.state_dict(), tmp_path / "x.pth"))


def test_without_the_library_the_part_says_what_to_install(
    tmp_path: Path, rrdb: RRDBNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(rrdb.state_dict(), tmp_path / "x.pth")
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(PartError) as said:
        Spandrel(path)
    words = str(said.value)
    assert "`pip install spandrel`" in words and "non-commercial" in words and "\n" not in words


def test_a_library_that_does_not_load_is_one_line(
    tmp_path: Path, rrdb: RRDBNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    broken = "raise RuntimeError('operator torchvision::nms does not exist\\nand more')"
    (tmp_path / "broken" / "spandrel.py").write_text(broken)
    for name in [name for name in sys.modules if name.split(".")[0] == "spandrel"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "broken")
    with pytest.raises(PartError, match="torchvision::nms does not exist; it needs") as said:
        Spandrel(saved(rrdb.state_dict(), tmp_path / "x.pth"))
    assert "\n" not in str(said.value)
