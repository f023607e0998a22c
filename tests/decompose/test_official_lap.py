"""Checkpoints in LAP's layout are converted, or refused if they do not fit."""

import pytest
import torch
from published_lap import aggregated

from l2rkit.decompose import LAPDecomposer
from l2rkit.decompose.official import read_official_lap
from l2rkit.errors import WeightsError
from l2rkit.io.weights import load_into
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

OURS = dict(
    netD="depth",
    netA="albedo",
    refine_netD="refine_depth",
    refine_netA="refine_albedo",
    netL="light",
    netV="view",
)
# Of each kind of network some weights by the released demo's names, with their shapes.
PUBLISHED = {
    "netD.network1.0.weight": (64, 3, 4, 4),
    "netD.network1.16.weight": (256,),
    "netD.network1.26.weight": (1024, 512, 4, 4),
    "netA.combine_net.2.weight": (512, 512, 1, 1),
    "netA.network.0.weight": (512, 512, 4, 4),
    "netA.network.22.weight": (3, 64, 5, 5),
    "refine_netD.network_consist.0.weight": (64, 1, 4, 4),
    "refine_netD.network_consist.12.weight": (512, 512, 3, 3),
    "refine_netA.network_consist.28.weight": (512, 1024, 1, 1),
    "refine_netA.network_inject.0.weight": (32, 3, 4, 4),
    "refine_netA.network_inject.14.weight": (512, 512, 4, 4),
    "refine_netA.network_decoder.22.weight": (3, 64, 5, 5),
    "refine_netD.fusion3_1.1.bias": (64,),
    "refine_netD.fusion2_2.0.weight": (64, 128, 3, 3),
    "netL.network.2.weight": (32, 32, 4, 4),
    "netL.network.12.weight": (4, 256, 1, 1),
    "netV.network.12.weight": (6, 256, 1, 1),
}


def write(path, part, without=()):
    nets = {theirs: getattr(part, ours) for theirs, ours in OURS.items() if theirs not in without}
    torch.save({name: net.state_dict() for name, net in nets.items()}, path)


def narrow(width=8, **options):
    return FaceReconstructor(LAPDecomposer(128, width, 8, **options), GridRenderer())


def test_names_and_shapes_are_those_of_the_demo():
    with torch.device("meta"):
        part = LAPDecomposer()
    for key, shape in PUBLISHED.items():
        net, name = key.split(".", 1)
        assert part.get_parameter(f"{OURS[net]}.{name}").shape == shape, key


def test_a_checkpoint_gives_the_same_face(tmp_path):
    torch.manual_seed(0)
    made = narrow(confidence=False)
    write(tmp_path / "checkpoint300.pth", made.decompose)
    model = narrow(confidence=False)
    load_into(model, read_official_lap(tmp_path / "checkpoint300.pth"), "checkpoint300.pth")
    photo = torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        face, expected = model(photo), made(photo)
    assert torch.equal(face.depth, expected.depth) and torch.equal(face.view, expected.view)
    state = torch.load(tmp_path / "checkpoint300.pth")["netA"]
    shared = aggregated(state, photo[:1] * 2 - 1, 2)[0].tanh() / 2 + 0.5
    torch.testing.assert_close(face.consistent.albedo[0], shared, atol=1e-5, rtol=0)


def test_what_is_missing_or_does_not_fit_is_named(tmp_path):
    path = tmp_path / "half.pth"
    write(path, narrow().decompose, without=("refine_netA", "netV"))
    with pytest.raises(WeightsError, match=r"is no LAP .*: it lacks refine_netA, netV$"):
        read_official_lap(path)
    write(path, narrow().decompose)
    with pytest.raises(WeightsError, match=r"'decompose.depth.network1.0.weight' is \(8, 3, 4, 4"):
        load_into(narrow(16, confidence=False), read_official_lap(path), "half.pth")
    with pytest.raises(WeightsError, match="lacks 'decompose"):
        load_into(narrow(), read_official_lap(path), "half.pth")
