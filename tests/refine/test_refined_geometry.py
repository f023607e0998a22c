"""Depth stays within its range, and displacement within its bound."""

import pytest
import torch

from l2rkit.landmarks.surface import mean_face_region
from l2rkit.refine import RefinedGeometry
from l2rkit.refine.geometry import within_face
from l2rkit.structures import FAR, NEAR
from l2rkit.testing import check_refiner, example_face


def refiner(bias=(0.0, 0.0), **options):
    """Its network says `bias` of every pixel: how far depth moves, and displacement."""
    torch.manual_seed(0)
    part = RefinedGeometry(widths=(8, 8), **options)
    part.network.last.bias.data.copy_(torch.tensor(bias).repeat_interleave(4))
    return part


def photos():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))


def test_before_training_nothing_changes():
    face = example_face(32)
    better = refiner()(face, photos())
    torch.testing.assert_close(better.depth, face.depth, atol=1e-6, rtol=0)
    assert better.displacement.abs().max() == 0


def test_the_contract_holds_also_when_it_moves_things():
    check_refiner(refiner(bias=(0.3, -0.4)), changes=("depth",))


def test_depth_moves_in_the_space_in_which_it_is_unbounded():
    face = example_face(32)
    relief = (face.depth - 1.0) / 0.1
    expected = 1.0 + 0.1 * (relief.atanh() + 0.5).tanh()
    got = refiner(bias=(0.5, 0.0))(face, photos()).depth
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=0)
    for far, end in ((50.0, FAR), (-50.0, NEAR)):
        depth = refiner(bias=(far, 0.0))(face, photos()).depth
        torch.testing.assert_close(depth, torch.full_like(depth, end))


@pytest.mark.parametrize("said, expected", [(0.3, 0.01 * 0.2913126), (99.0, 0.01), (-99.0, -0.01)])
def test_displacement_is_in_the_depth_and_bounded(said, expected):
    face = example_face(32)
    better = refiner(bias=(0.0, said), displacement=0.05)(face, photos())
    torch.testing.assert_close(better.displacement, torch.full_like(face.depth, expected))
    torch.testing.assert_close(better.depth, face.depth + expected)


def test_the_network_sees_albedo_relief_and_the_photo_on_the_face():
    face = example_face(32).with_view(torch.zeros(6))
    photo = photos()
    seen = RefinedGeometry.network_input(face, photo)
    torch.testing.assert_close(seen[:, :3], face.albedo * 2 - 1)
    torch.testing.assert_close(seen[:, 3:4], (face.depth - 1) / 0.1)
    torch.testing.assert_close(seen[:, 4:], photo * 2 - 1, atol=1e-4, rtol=0)


def test_with_a_rim_the_face_alone_is_refined_and_its_outline_stays():
    face, said = example_face(32), (0.5, 0.3)
    whole = refiner(bias=said)(face, photos())
    better = refiner(bias=said, rim=1 / 32)(face, photos())
    region = mean_face_region(32) > 0
    beyond = ~region.expand_as(face.depth)
    assert beyond.any()
    torch.testing.assert_close(better.depth[beyond], face.depth[beyond], atol=1e-6, rtol=0)
    assert better.displacement[beyond].abs().max() == 0
    torch.testing.assert_close(better.depth[..., 16, 16], whole.depth[..., 16, 16])
    # Along a row, from the middle to the left, the refinement only becomes less.
    moved = (better.depth - face.depth)[..., 16, :17] / (whole.depth - face.depth)[..., 16, :17]
    assert (moved.diff(dim=-1) >= -1e-4).all() and ((moved > 0.1) & (moved < 0.9)).any()


def test_the_rim_does_not_depend_on_who_asks_first():
    within_face.cache_clear()
    with torch.autocast("cpu", torch.bfloat16):
        first = within_face(32, 0.03)
    within_face.cache_clear()
    assert torch.equal(within_face(32, 0.03), first) and first.dtype == torch.float32
    within_face.cache_clear()
    mean_face_region.cache_clear()
    with torch.inference_mode():
        kept = within_face(32, 0.03)
    assert not kept.is_inference() and not mean_face_region(32).is_inference()


def test_a_bound_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"rim is within 0\.\.0\.5, not -1"):
        refiner(rim=-1)
    with pytest.raises(ValueError, match=r"displacement is within 0\.\.0\.5, not -1"):
        refiner(displacement=-1)


def test_the_refinement_ends_without_a_step():
    """At the cheeks' outline it is already small, not half of what it is inside."""
    weight, region = within_face(128, 3 / 128), mean_face_region(128)
    inner = 1 - torch.nn.functional.max_pool2d(1 - region, 3, 1, 1)
    rim = (region > inner)[0, 0, 32:96]
    assert rim.any() and weight[0, 0, 32:96][rim].max() < 0.35 and weight[0, 0, 64, 64] == 1
