"""Weight files are read as written, and run no code."""

from collections import OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from l2rkit.errors import WeightsError
from l2rkit.io import checkpoints  # noqa: F401  for its scheme zoo://
from l2rkit.io.pickles import Inert, read_foreign
from l2rkit.io.weights import load_into, read_weights, write_weights
from l2rkit.zoo import zoo_file


class Payload:
    """Would make a file if its pickle were obeyed."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def state():
    torch.manual_seed(0)
    return OrderedDict(a=torch.randn(3, 4), b=torch.arange(3), c=torch.randn(2, 6).T)


def assert_same(got, expected):
    assert list(got) and set(got) == set(expected)
    assert all(torch.equal(got[key], expected[key]) for key in expected)


def test_safetensors_come_back(tmp_path):
    write_weights(state(), tmp_path / "new" / "w.safetensors")
    assert_same(read_weights(tmp_path / "new" / "w.safetensors"), state())
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: dict(state_dict=s, meta=dict(epoch=1))])
def test_pth_comes_back(tmp_path, zipped, wrap):
    torch.save(wrap(state()), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert_same(read_weights(tmp_path / "w.pth"), state())


def test_half_precision_rounds_floats_alone_and_loads_into_float(tmp_path):
    write_weights(state(), tmp_path / "w.safetensors", bits=16)
    got = read_weights(tmp_path / "w.safetensors")
    assert got["a"].dtype == torch.float16 and got["b"].dtype == torch.int64
    torch.testing.assert_close(got["a"].float(), state()["a"], atol=1e-3, rtol=1e-3)
    write_weights(nn.Linear(2, 2).state_dict(), tmp_path / "l.safetensors", bits=16)
    layer = nn.Linear(2, 2)
    load_into(layer, read_weights(tmp_path / "l.safetensors"), "l")
    assert layer.weight.dtype == torch.float32


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    write_weights(state(), path)

    def fail(_):
        raise OSError("no space left")

    monkeypatch.setattr(safetensors.torch, "save", fail)
    with pytest.raises(OSError):
        write_weights(dict(a=torch.zeros(9)), path)
    assert_same(read_weights(path), state())


def test_a_checkpoint_of_mmengine_loads_with_torch_s_safe_default(tmp_path):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1], max_length=10)
    hub = dict(log_scalars={"train/loss": buffer}, resumed_keys={"train/loss": True})
    meta = dict(
        iter=3, best=np.float64(0.5), seen=np.int64(7), which=np.float32(1.5), ok=np.bool_(1)
    )
    torch.save(dict(state_dict=state(), message_hub=hub, meta=meta), tmp_path / "iter_3.pth")
    content = torch.load(tmp_path / "iter_3.pth")  # weights-only, as MMEngine's Runner calls it
    assert content["message_hub"]["log_scalars"]["train/loss"].current() == 2.0
    assert content["meta"]["best"] == 0.5 and content["meta"]["seen"] == 7
    assert_same(read_weights(tmp_path / "iter_3.pth"), state())


class Reaching:
    """Its pickle asks for an attribute of an admitted class that leads elsewhere."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, "__init__")


def test_getattr_reaches_nothing_but_statistics(tmp_path):
    torch.save(dict(state_dict=state(), meta=Reaching()), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"was refused: .*getattr may not reach '__init__'"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_a_payload_is_refused_in_one_line(tmp_path, zipped):
    trap, path = tmp_path / "trap", tmp_path / "evil.pth"
    content = dict(state_dict=state(), meta=Payload(trap))
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"evil\.pth was refused: .*open") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value) and not trap.exists()
    assert_same(read_foreign(path)["state_dict"], state())
    assert isinstance(read_foreign(path)["meta"], Inert) and not trap.exists()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "legacy.pth"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.95])
def test_a_truncated_file_is_named_in_one_line(tmp_path, name, share):
    path = tmp_path / name
    if path.suffix == ".safetensors":
        write_weights(state(), path)
    else:
        torch.save(state(), path, _use_new_zipfile_serialization=name == "w.pth")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    for read in (read_weights, read_foreign):
        with pytest.raises(WeightsError, match=path.name) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [[1, 2], {}, dict(epoch=3), dict(state_dict=dict(a=1))])
def test_a_file_without_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        read_weights(tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="no weights at"):
        read_weights(tmp_path / "absent.pth")


@pytest.mark.parametrize(
    "made, text",
    [
        (nn.Linear(2, 2, bias=False), r"it lacks 'bias' \(1 missing, 0 left over, of 2\)"),
        (nn.Bilinear(2, 2, 2), r"'weight' is \(2, 2, 2\), not \(2, 2\)"),
        (nn.BatchNorm1d(2), r"it has 'running_mean' \(0 missing, 3 left over, of 2\)"),
    ],
)
def test_another_architecture_is_one_clear_error_and_changes_nothing(made, text):
    layer = nn.Linear(2, 2)
    before = layer.weight.clone()
    with pytest.raises(WeightsError, match=rf"w\.pth is of .*{text}"):
        load_into(layer, made.state_dict(), "w.pth")
    assert torch.equal(layer.weight, before)


def test_mmengine_goes_on_from_what_is_shipped():
    from mmengine.runner import CheckpointLoader

    state = CheckpointLoader.load_checkpoint("zoo://unsup3d_heads_32")["state_dict"]
    assert state.keys() == read_weights(zoo_file("unsup3d_heads_32.safetensors")).keys()
    with pytest.raises(WeightsError, match="is not shipped with l2rkit"):
        CheckpointLoader.load_checkpoint("zoo://nobody")
