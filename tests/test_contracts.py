"""Each registered part keeps its socket's contract, and the checks catch parts that do not."""

from dataclasses import replace

import pytest
import torch

import l2rkit.decompose
import l2rkit.losses
import l2rkit.render  # noqa: F401  (registers)
from l2rkit.registry import DECOMPOSERS, LOSSES, RENDERERS
from l2rkit.render import GridRenderer
from l2rkit.testing import check_decomposer, check_loss, check_renderer

SMALL = dict(image_size=32, width=8)
# Arguments of parts that do not go without, or would be slow.
DECOMPOSERS_WITH = {"Unsup3DDecomposer": dict(SMALL, encoder_width=8)}
LOSSES_WITH = {"Perceptual": dict(features=dict(type="MobileNetFeatures"))}
# Feature extractors, which are no losses, and what needs files; each has tests of its own.
ELSEWHERE = {"MobileNetFeatures", "VGG16Features", "LikeTeacher"}


def ours(socket):
    return sorted(n for n, c in socket.module_dict.items() if c.__module__.startswith("l2rkit."))


@pytest.mark.parametrize("name", ours(RENDERERS))
def test_renderers(name):
    check_renderer(RENDERERS.build(dict(type=name)))


@pytest.mark.parametrize("name", ours(DECOMPOSERS))
def test_decomposers(name):
    torch.manual_seed(0)
    check_decomposer(DECOMPOSERS.build(dict(type=name, **DECOMPOSERS_WITH.get(name, SMALL))), 32)


@pytest.mark.parametrize("name", [n for n in ours(LOSSES) if n not in ELSEWHERE])
def test_losses(name):
    check_loss(LOSSES.build(dict(type=name, **LOSSES_WITH.get(name, {}))))


def test_a_renderer_that_blurs_mirrors_or_drops_gradients_is_caught():
    def spoilt(spoil):
        return lambda face: replace(GridRenderer()(face), **spoil(GridRenderer()(face)))

    with pytest.raises(AssertionError, match="does not show its albedo"):
        check_renderer(spoilt(lambda seen: dict(image=seen.image.flip(-1))))
    with pytest.raises(AssertionError, match="is not its canonical depth"):
        check_renderer(spoilt(lambda seen: dict(depth=seen.depth + 1e-3)))
    with pytest.raises(AssertionError, match="no gradient goes from the picture to depth"):
        check_renderer(lambda face: GridRenderer()(replace(face, depth=face.depth.detach())))


def test_a_decomposer_that_leaves_the_range_is_caught():
    class Deep(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inside = DECOMPOSERS.build(dict(type="Unsup3DDecomposer", **SMALL))

        def forward(self, photo, person=None):
            face = self.inside(photo)
            return replace(face, depth=face.depth + 0.5)

    with pytest.raises(AssertionError, match=r"depth lies in .* not within 0\.9\.\.1\.1"):
        check_decomposer(Deep(), 32)


def test_a_loss_that_is_not_finite_or_not_one_number_is_caught():
    with pytest.raises(AssertionError, match="the loss of the empty scene is nan"):
        check_loss(lambda scene: scene.own.image[scene.mask.expand_as(scene.photo) > 0].mean())
    with pytest.raises(AssertionError, match="one number, not of shape"):
        check_loss(lambda scene: scene.own.image.mean((1, 2, 3)))
