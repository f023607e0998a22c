"""Released Unsup3D checkpoints are converted; only their tensors are read."""

import sys

import pytest
import torch
from click.testing import CliRunner
from published import forward, nets

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.decompose.official import read_official
from l2rkit.errors import WeightsError
from l2rkit.io.weights import load_into, read_weights
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from tools.model_converters.unsup3d_official import main

WIDTHS = 16, 8


class Meter:
    """As the released code pickles beside its weights."""

    def __init__(self):
        self.sums, self.history = {"loss": 1.5}, [1.0, 2.0]


class Payload:
    """Would make a file if its pickle were obeyed."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def write(path, payload, zipped=True, without=()):
    torch.manual_seed(0)
    made = nets(*WIDTHS)
    content = {name: net.state_dict() for name, net in made.items() if name not in without}
    optimizer = torch.optim.Adam(made["netV"].parameters(), lr=1e-4)
    content |= dict(optimizerV=optimizer.state_dict(), epoch=30, metrics_trace=Meter())
    content["payload"] = payload
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return made


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "torch 1.2"])
def test_an_official_checkpoint_gives_the_same_face_and_runs_nothing(tmp_path, zipped, monkeypatch):
    trap = tmp_path / "trap"
    made = write(tmp_path / "checkpoint030.pth", Payload(trap), zipped)
    monkeypatch.delattr(sys.modules[__name__], "Meter")  # its class does not exist here
    state = read_official(tmp_path / "checkpoint030.pth")
    assert not trap.exists()
    model = FaceReconstructor(Unsup3DDecomposer(64, *WIDTHS), GridRenderer())
    load_into(model, state, "checkpoint030.pth")
    photo = torch.rand(2, 3, 64, 64)
    depth, albedo, ambient, diffuse, direction, view = forward(made, photo)
    with torch.no_grad():
        face = model(photo)
    close = dict(atol=1e-5, rtol=0)
    torch.testing.assert_close(face.depth[:, 0], depth, **close)
    torch.testing.assert_close(face.albedo, albedo, **close)
    packed = torch.cat([ambient[:, None], diffuse[:, None], -direction], 1)
    torch.testing.assert_close(face.light.packed(), packed, **close)
    torch.testing.assert_close(face.view, view, **close)


def test_the_trap_is_a_trap(tmp_path):
    """Plain unpickling does run the payload: the test above would notice."""
    trap = tmp_path / "trap"
    write(tmp_path / "file.pth", Payload(trap))
    torch.load(tmp_path / "file.pth", weights_only=False)["payload"].close()
    assert trap.exists()


def test_missing_networks_are_named(tmp_path):
    path = tmp_path / "half.pth"
    write(path, None, without=("netL", "netC"))
    with pytest.raises(WeightsError, match=r"half\.pth is no Unsup3D .*: it lacks netL, netC$"):
        read_official(path)
    torch.save([torch.ones(1)], path)
    with pytest.raises(WeightsError, match="it lacks netD, netA"):
        read_official(path)
    with pytest.raises(WeightsError, match="no weights at"):
        read_official(tmp_path / "absent.pth")


def test_the_converter_writes_what_loads(tmp_path):
    write(tmp_path / "a.pth", None)
    to = ["--out", str(tmp_path / "b.safetensors")]
    done = CliRunner().invoke(main, [str(tmp_path / "a.pth"), *to])
    assert done.exit_code == 0, done.output
    expected = read_official(tmp_path / "a.pth")
    got = read_weights(tmp_path / "b.safetensors")
    assert got.keys() == expected.keys() and all(torch.equal(got[k], expected[k]) for k in expected)
    done = CliRunner().invoke(main, [str(tmp_path / "absent.pth"), *to])
    assert done.exit_code == 2 and "no weights at" in done.stderr
    assert isinstance(done.exception, SystemExit), "no traceback"
