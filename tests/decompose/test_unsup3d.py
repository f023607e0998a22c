"""Our networks and forward pass against the published ones, layer by layer."""

import math

import pytest
import torch
from published import conf_net, ed_deconv, encoder, forward, nets

from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.decompose.networks import ConfidenceNet, Encoder, EncoderDecoder
from l2rkit.render import shading
from l2rkit.structures import Light


def count(net):
    return sum(weight.numel() for weight in net.parameters())


@pytest.mark.parametrize(
    "ours, published, parameters",
    [
        (lambda: EncoderDecoder(1), lambda: ed_deconv(1), 12_979_648),
        (lambda: EncoderDecoder(3), lambda: ed_deconv(3), 12_982_848),
        (lambda: Encoder(4), lambda: encoder(4), 1_739_264),
        (lambda: Encoder(6), lambda: encoder(6), 1_739_776),
        (lambda: ConfidenceNet(), lambda: conf_net(), 7_678_208),
    ],
)
def test_layers_are_the_published_ones(ours, published, parameters):
    with torch.device("meta"):
        ours, published = ours(), published()
    assert count(ours) == count(published) == parameters
    shapes = {key: value.shape for key, value in published.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == shapes
    groups = [m.num_groups for m in published.modules() if isinstance(m, torch.nn.GroupNorm)]
    assert [m.num_groups for m in ours.modules() if isinstance(m, torch.nn.GroupNorm)] == groups


def ours_and_published(width, encoder_width):
    torch.manual_seed(0)
    ours, published = Unsup3DDecomposer(64, width, encoder_width), nets(width, encoder_width)
    names = dict(netD="depth", netA="albedo", netL="light", netV="view", netC="confidence")
    for name, net in published.items():
        with torch.no_grad():
            for weight in net.parameters():
                weight.mul_(2)  # away from zero, so that signs and squashing show
        getattr(ours, names[name]).load_state_dict(net.state_dict())
    return ours, published


@pytest.mark.parametrize("width, encoder_width", [(16, 8), (64, 32)])
def test_depth_albedo_light_and_view_are_the_published_ones(width, encoder_width):
    ours, published = ours_and_published(width, encoder_width)
    photo = torch.rand(2, 3, 64, 64)
    depth, albedo, ambient, diffuse, direction, view = forward(published, photo)
    with torch.no_grad():
        face = ours(photo)
    close = dict(atol=1e-5, rtol=0)
    torch.testing.assert_close(face.depth[:, 0], depth, **close)
    torch.testing.assert_close(face.albedo, albedo, **close)
    torch.testing.assert_close(face.light.ambient, ambient, **close)
    torch.testing.assert_close(face.light.diffuse, diffuse, **close)
    torch.testing.assert_close(face.light.direction, -direction, **close)  # converted to our sign
    torch.testing.assert_close(face.view, view, **close)
    features = published["netC"]["network"](photo * 2 - 1)
    torch.testing.assert_close(face.confidence.pixel, published["netC"]["out_net1"](features))
    torch.testing.assert_close(face.confidence.feature, published["netC"]["out_net2"](features))


def test_the_light_that_flips_shades_as_published():
    """a + b max(0, n . l) with the published n and l, both of which point away from the camera."""
    torch.manual_seed(0)
    away = torch.nn.functional.normalize(torch.randn(1, 3, 5, 5), dim=1)
    toward = torch.nn.functional.normalize(torch.tensor([[0.4, -0.3, 1.0]]), dim=1)
    published = 0.3 + 0.6 * torch.einsum("bchw,bc->bhw", away, toward).clamp(min=0)[:, None]
    ours = Light(torch.tensor([0.3]), torch.tensor([0.6]), -toward)
    torch.testing.assert_close(shading(-away, ours), published)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_sizes_ranges_and_border_columns(size):
    torch.manual_seed(0)
    photo = torch.rand(2, 3, size, size)
    part = Unsup3DDecomposer(size, width=4, encoder_width=4, border_depth=1.05)
    face = part(photo)
    assert face.size == size and face.depth.min() >= 0.9 and face.depth.max() <= 1.1
    assert face.albedo.min() >= 0 and face.albedo.max() <= 1
    assert face.confidence.pixel.shape == (2, 2, size, size) and face.confidence.pixel.min() > 0
    assert face.confidence.feature.shape == (2, 2, size // 4, size // 4)
    columns = size // 32  # 2 of 64
    side = torch.tensor(1.05)
    assert (face.depth[..., :columns] == side).all() and (face.depth[..., -columns:] == side).all()
    assert not (face.depth[..., columns] == side).any()
    assert not (face.depth[..., -columns - 1] == side).any()
    part.border_depth = None
    assert not (part(photo).depth[..., 0] == side).any()
    assert part.eval()(photo).confidence is None


def test_reach_of_views():
    part = Unsup3DDecomposer(32, 4, 4, max_rotation_deg=30, max_shift=(0.1, 0.2, 0.3))
    with torch.no_grad():
        for weight in part.view.parameters():
            weight.mul_(100)  # drives the tanh to its ends
        view = part(torch.rand(64, 3, 32, 32)).view.abs().amax(0)
    limit = torch.tensor([math.radians(30)] * 3 + [0.1, 0.2, 0.3])
    assert (view <= limit * 1.0001).all() and (view > 0.5 * limit).any()


def test_view_gain_starts_small_but_awake():
    torch.manual_seed(0)
    photo = torch.rand(16, 3, 32, 32)
    with torch.no_grad():
        turns = [
            Unsup3DDecomposer(32, 4, 16, view_gain=gain)(photo).view[:, :3].abs().mean()
            for gain in (1.0, 0.05)
        ]
    assert 0 < turns[1] < 0.2 * turns[0] and 1e-4 < turns[1] < 0.1


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (1, 1, 32, 32), (3, 32, 32)])
def test_a_photo_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=r"expects photos \(B, 3, 32, 32\), not \("):
        Unsup3DDecomposer(32, 4, 4)(torch.rand(shape))


def test_a_size_that_the_networks_have_not_is_refused():
    with pytest.raises(ValueError, match="take 32, 64 or 128 pixels, not 48"):
        Unsup3DDecomposer(48)


def test_without_confidence_the_rest_is_the_same():
    full, bare = (Unsup3DDecomposer(32, 8, 8, confidence=some) for some in (True, False))
    kept = {k: v for k, v in full.state_dict().items() if not k.startswith("confidence.")}
    bare.load_state_dict(kept)
    photo = torch.rand(1, 3, 32, 32)
    face = bare.train()(photo)
    assert face.confidence is None and full.train()(photo).confidence is not None
    assert torch.equal(face.depth, full(photo).depth)
