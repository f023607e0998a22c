"""Albedo from the unwrapped photo: its initial state, and what it leaves unchanged."""

import math
from dataclasses import replace

import pytest
import torch

from l2rkit.errors import PartError
from l2rkit.geometry import normals, view_of
from l2rkit.ops.masked import masked_blur
from l2rkit.priors import StyleGAN2
from l2rkit.refine import UnlitAlbedo, UnwrappedAlbedo
from l2rkit.render import GridRenderer
from l2rkit.render.shading import shade
from l2rkit.render.unwrap import unwrap
from l2rkit.restore import FaceRestorer
from l2rkit.structures import Face, Light
from l2rkit.testing import example_face

SIZE = 32


@pytest.fixture
def part() -> UnwrappedAlbedo:
    torch.manual_seed(0)
    prior = StyleGAN2(size=SIZE, width=0.05, latent=16)
    return UnwrappedAlbedo(prior, image_size=SIZE, widths=(8, 16)).eval()


def smooth_face(yaw: float) -> Face:
    face = example_face(SIZE, 1)
    line = torch.linspace(-1, 1, SIZE)
    bowl = 0.96 + 0.05 * (line[None] ** 2 + line[:, None] ** 2)
    return replace(face, depth=bowl[None, None], view=view_of(yaw)[None])


def test_before_training_what_the_photo_shows_is_the_albedo(part):
    """Of what it hides, that is the mirror image, else the other half of the lit proxy."""
    face = smooth_face(55.0)
    face = replace(face, view=face.view + torch.tensor([0, 0, 0, 0.03, 0, 0]))  # partly outside
    photo = GridRenderer()(replace(face, light=dark_free())).on_white()
    better = part(face, photo)
    seen = unwrap(photo, face.depth, face.view)
    shown = (seen.visible > 0.999).expand_as(photo)
    assert shown.float().mean() > 0.1
    torch.testing.assert_close(
        better.albedo[shown], seen.colour.clamp(0, 1)[shown], atol=1e-3, rtol=0
    )
    hidden = ((seen.visible < 0.001) & (seen.visible.flip(-1) > 0.999)).expand_as(photo)
    assert hidden.any()
    torch.testing.assert_close(
        better.albedo[hidden], seen.colour.flip(-1)[hidden], atol=1e-3, rtol=0
    )
    nowhere = ((seen.visible < 0.001) & (seen.visible.flip(-1) < 0.001)).expand_as(photo)
    assert nowhere.any()
    mixed = lit(face).flip(-1)
    torch.testing.assert_close(better.albedo[nowhere], mixed[nowhere], atol=0.01, rtol=0)


def dark_free() -> Light:
    return Light(torch.ones(1), torch.zeros(1), torch.tensor([[0.0, 0.0, -1.0]]))


def test_depth_and_view_stay_and_light_is_ambient(part):
    face = smooth_face(20.0)
    better = part(face, face.albedo)
    assert torch.equal(better.depth, face.depth) and torch.equal(better.view, face.view)
    assert better.light.ambient.eq(1).all() and better.light.diffuse.eq(0).all()


def test_it_begins_with_the_restorer_as_far_as_that_sees():
    restorer = FaceRestorer(image_size=SIZE)
    part = UnwrappedAlbedo(None, image_size=SIZE, begin="face_restorer").eval()
    face = replace(smooth_face(0.0), depth=torch.ones(1, 1, SIZE, SIZE))
    photo = face.albedo
    seen = unwrap(photo, face.depth, face.view)
    shown = seen.visible
    known = torch.lerp(torch.lerp(face.albedo, seen.colour.flip(-1), shown.flip(-1)),
                       seen.colour, shown)  # fmt: skip
    torch.testing.assert_close(part(face, photo).albedo, restorer(known), atol=1e-5, rtol=0)


def test_the_prior_has_a_say_once_it_is_trained(part):
    face = smooth_face(5.0)
    before = part(face, face.albedo).albedo
    torch.nn.init.normal_(part.network.last.weight, std=0.1)
    without = part(face, face.albedo).albedo
    for fuse in part.network.fuse.values():
        torch.nn.init.normal_(fuse.weight, std=0.5)
    modulated = part(face, face.albedo).albedo
    assert not torch.equal(before, without) and not torch.equal(without, modulated)
    for name, maps in part.network.maps.items():
        torch.nn.init.normal_(maps.weight, std=0.5)
        assert not torch.equal(part(face, face.albedo).albedo, modulated), name


def test_a_part_of_some_faces_is_hidden_in_training_alone(part):
    face = smooth_face(0.0)
    many = Face(
        face.depth.expand(16, -1, -1, -1),
        face.albedo.expand(16, -1, -1, -1),
        Light(torch.ones(16), torch.zeros(16), torch.tensor([[0.0, 0.0, -1.0]] * 16)),
        face.view.expand(16, -1),
    )
    part.hide, part.hide_deg = 0.5, 70.0
    torch.manual_seed(0)
    left = part._still_visible(many)
    whole = left.flatten(1).amin(1) == 1
    assert 0.2 < whole.float().mean() < 0.8
    assert left[~whole].mean() < 0.98
    sides = left[~whole] < 1
    assert sides[..., : SIZE // 2].any() and sides[..., SIZE // 2 :].any()  # turned to either side
    assert not torch.equal(left, left.flip(-1))
    upright = left[~whole].flip(-2)  # a nod would hide the chin or the brow, not both alike
    assert (left[~whole] - upright).abs().mean() < 0.3 * (1 - left[~whole]).mean()
    part.hide = 0.0
    assert part._still_visible(many).min() == 1
    photo = torch.rand(16, 3, SIZE, SIZE)
    part.hide = 1.0
    quiet = part(many, photo).albedo
    assert torch.equal(quiet, part(many, photo).albedo)
    part.train()
    assert not torch.equal(quiet, part(many, photo).albedo)
    assert math.isfinite(part(many, photo).albedo.sum().item())


def test_without_fidelity_the_photo_does_not_count(part):
    face = smooth_face(12.0)
    first, second = torch.rand(2, 1, 3, SIZE, SIZE)
    whole = part(face, first).albedo
    part.fidelity = 0.0
    assert torch.equal(part(face, first).albedo, part(face, second).albedo)
    part.fidelity = 0.5
    assert not torch.equal(part(face, first).albedo, part(face, second).albedo)
    part.fidelity = 1.0
    assert torch.equal(part(face, first).albedo, whole)
    with pytest.raises(ValueError, match=r"fidelity is within 0\.\.1, not 1\.5"):
        UnwrappedAlbedo(image_size=SIZE, widths=(8, 16), fidelity=1.5)
    with pytest.raises(PartError, match=r"UnlitAlbedo: broad is within 0\.\.1, not -0\.1"):
        UnlitAlbedo(image_size=SIZE, widths=(8, 16), broad=-0.1)
    with pytest.raises(PartError, match="takes multiples of 4 px, not 30 x 30"):
        UnwrappedAlbedo(image_size=30, widths=(8, 16))(face, first)


@pytest.mark.parametrize("broad", [0.0, 1 / 16])
def test_what_is_hidden_on_purpose_the_proxy_does_not_tell(part, broad):
    """Else completing would be learnt from a proxy that knows the answer."""
    part.broad = broad
    face, photo = smooth_face(0.0), torch.rand(1, 3, SIZE, SIZE)
    left = torch.ones(1, 1, SIZE, SIZE)
    left[..., : SIZE // 2] = 0
    part._still_visible = lambda face: left
    part.train()
    part._fidelities = lambda face: torch.ones(1, 1, 1, 1)
    torch.nn.init.normal_(part.network.last.weight, std=0.1)
    changed = replace(face, albedo=torch.cat([torch.rand(1, 3, SIZE, SIZE // 2),
                                           face.albedo[..., SIZE // 2 :]], 3))  # fmt: skip
    other = replace(changed, albedo=torch.cat([torch.rand(1, 3, SIZE, SIZE // 2),
                                            face.albedo[..., SIZE // 2 :]], 3))  # fmt: skip
    torch.testing.assert_close(part(changed, photo).albedo, part(other, photo).albedo)


def test_the_mirror_image_may_be_left_out():
    part = UnwrappedAlbedo(image_size=SIZE, widths=(8, 16), mirror=False).eval()
    face, photo = smooth_face(20.0), torch.rand(1, 3, SIZE, SIZE)
    visible = unwrap(photo, face.depth, face.view).visible
    hidden = ((visible < 0.001) & (visible.flip(-1) > 0.999)).expand_as(photo)
    assert hidden.any()
    torch.testing.assert_close(part(face, photo).albedo[hidden], lit(face)[hidden])


def lit(face: Face) -> torch.Tensor:
    return shade(face.albedo, normals(face.depth), face.light).clamp(0, 1)


def test_broad_colours_of_what_is_seen_are_the_proxys_and_fine_ones_the_networks(part):
    torch.nn.init.normal_(part.network.last.weight, std=0.05)
    face = smooth_face(0.0)
    photo = 0.3 + 0.2 * torch.rand(1, 3, SIZE, SIZE, generator=torch.manual_seed(3))
    own = part(face, photo).albedo
    part.broad = 1 / 8
    mixed = part(face, photo).albedo
    shown = (unwrap(photo, face.depth, face.view).visible > 0.999).expand_as(photo)
    inner = torch.zeros_like(shown)
    inner[..., 12:-12, 12:-12] = True  # the kernel reaches no edge
    assert (shown & inner).sum() > 100

    def broad(picture):
        return masked_blur(picture, torch.ones(1, 1, SIZE, SIZE), 4.0)

    proxy = lit(face)
    expected = own + broad(proxy - own)
    torch.testing.assert_close(mixed[inner & shown], expected[inner & shown], atol=0.02, rtol=0)
    assert (
        abs(broad(mixed) - broad(proxy))[inner].max()
        < abs(broad(own) - broad(proxy))[inner].max() / 2
    )


@torch.no_grad()
def test_the_self_ensemble_is_the_mean_over_both_sides_in_evaluation(part):
    torch.manual_seed(1)
    for layer in part.network.modules():
        if hasattr(layer, "weight"):
            layer.weight.normal_(std=0.05)
    face = smooth_face(25.0)
    photo = 0.3 + 0.4 * torch.rand(1, 3, SIZE, SIZE)
    seen, corrected = [], part.network.forward
    part.network.forward = lambda given, prior: seen.append(given) or corrected(given, prior)
    single = part(face, photo).albedo
    part.self_ensemble = True
    mean = part(face, photo).albedo
    given, again, mirrored = seen
    assert torch.equal(again, given) and torch.equal(mirrored, given.flip(-1))
    own, other = corrected(given, part.prior), corrected(mirrored, part.prior).flip(-1)
    free = (mean > 0) & (mean < 1) & (single > 0) & (single < 1)
    assert free.float().mean() > 0.5 and (other - own).abs().mean() > 0.01
    torch.testing.assert_close((mean - single)[free], ((other - own) / 2)[free])
    seen.clear()
    part.train()(face, photo)
    assert len(seen) == 1


def test_under_the_proxys_light_the_unlit_albedo_is_the_true_one(part):
    unlit = UnlitAlbedo(part.prior, image_size=SIZE, widths=(8, 16)).eval()
    unlit.load_state_dict(part.state_dict())
    light = Light(torch.tensor([0.5]), torch.tensor([0.4]), torch.tensor([[-0.6, 0.0, -0.8]]))
    face = replace(smooth_face(8.0), light=light)
    photo = GridRenderer()(face).image
    lit, better = part(face, photo), unlit(face, photo)
    shown = (unwrap(photo, face.depth, face.view).visible > 0.999).expand_as(photo)
    assert better.light is face.light and torch.equal(better.depth, lit.depth)
    off = (better.albedo - face.albedo)[shown].abs().mean()
    assert off < 0.02 and off < (lit.albedo - face.albedo)[shown].abs().mean() / 5
    below = shown & (better.albedo < 1)
    look = shade(better.albedo, normals(face.depth), light)
    torch.testing.assert_close(look[below], lit.albedo[below], atol=1e-5, rtol=0)
