"""Albedo from a prior: its inputs, and what it leaves unchanged."""

import pytest
import torch

from l2rkit.io.weights import load_weights, own_state, write_weights
from l2rkit.priors import StyleGAN2
from l2rkit.refine import PriorAlbedo
from l2rkit.testing import check_refiner, example_face

SMALL = dict(size=32, width=0.03, latent=16, mapping=2)


def refiner(**options):
    torch.manual_seed(0)
    return PriorAlbedo(StyleGAN2(**SMALL), width=4, **options)


def stirred(part, scale=0.1):
    """The part with all its own weights moved, as if it had been trained."""
    torch.manual_seed(1)
    for weight in part.parameters():
        if weight.requires_grad:
            weight.data.add_(scale * torch.randn_like(weight))
    return part


def photos(size=32):
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(2))


def test_before_training_every_albedo_is_the_priors_mean_face():
    part = refiner()
    albedo = part(example_face(32), photos()).albedo
    mean, _ = part.prior(part.prior.mean_w[None], space="w", noise="none")
    torch.testing.assert_close(albedo, mean.expand(2, -1, -1, -1), atol=1e-5, rtol=0)


def test_the_contract_holds_also_after_training():
    check_refiner(stirred(refiner()), changes=("albedo",))


def test_codes_follow_the_photo_and_maps_the_proxy():
    part, face, photo = stirred(refiner()).eval(), example_face(32), photos()
    other = type(face)(face.depth, 1 - face.albedo, face.light, face.view)
    with torch.no_grad():
        albedo = part(face, photo).albedo
        by_photo, by_proxy = part(face, 1 - photo).albedo, part(other, photo).albedo
    assert (albedo - by_photo).abs().mean() > 1e-3
    assert (albedo - by_proxy).abs().mean() > 1e-3


def test_at_fidelity_0_the_proxys_albedo_has_no_say():
    part, face, photo = stirred(refiner(fidelity=0)).eval(), example_face(32), photos()
    other = type(face)(face.depth, 1 - face.albedo, face.light, face.view)
    with torch.no_grad():
        assert torch.equal(part(face, photo).albedo, part(other, photo).albedo)
        part.fidelity = 1.0
        assert not torch.equal(part(face, photo).albedo, part(other, photo).albedo)


def test_a_smaller_face_comes_out_at_the_priors_size_with_its_shape():
    face = example_face(16)
    ramp = torch.linspace(0.95, 1.05, 16).expand(2, 1, 16, 16)
    face = type(face)(ramp, face.albedo, face.light, face.view)
    better = refiner()(face, photos(16))
    assert better.size == 32
    expected = torch.linspace(0.95, 1.05, 32).expand(2, 1, 32, 32)
    torch.testing.assert_close(better.depth, expected)
    assert better.view is face.view and better.light is face.light


def test_the_prior_stays_frozen_and_everything_else_learns():
    part = stirred(refiner())
    part(example_face(32), photos()).albedo.mean().backward()
    assert all(weight.grad is None for weight in part.prior.parameters())
    for name in ("style", "seen", "codes", "spatial", "maps"):
        grads = [weight.grad for weight in getattr(part, name).parameters()]
        assert any(grad is not None and grad.abs().sum() > 0 for grad in grads), name


def test_fidelity_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"fidelity is within 0\.\.1, not 1\.5"):
        refiner(fidelity=1.5)


def test_confidence_grows_with_the_maps():
    better = refiner()(example_face(16), photos(16))
    assert better.confidence.pixel.shape == (2, 2, 32, 32)
    assert better.confidence.feature.shape == (2, 2, 8, 8)
    torch.testing.assert_close(better.confidence.pixel, torch.full((2, 2, 32, 32), 0.5))


def test_a_prior_that_was_brought_is_in_no_weight_file_of_the_model(tmp_path):
    torch.manual_seed(3)
    file = tmp_path / "prior.safetensors"
    write_weights(StyleGAN2(**SMALL).state_dict(), file)
    first, second = (PriorAlbedo(StyleGAN2(str(file)), width=4) for _ in range(2))
    stirred(first)
    assert not any(name.startswith("prior.") for name in own_state(first))
    assert any(name.startswith("prior.") for name in own_state(refiner())), "made at random"
    write_weights(own_state(first), tmp_path / "own.safetensors")
    torch.save(dict(state_dict=first.state_dict()), tmp_path / "whole.pth")
    with torch.no_grad():
        expected = first(example_face(32), photos()).albedo
        for name in ("own.safetensors", "whole.pth"):
            load_weights(second, tmp_path / name)
            assert torch.equal(second(example_face(32), photos()).albedo, expected)
            stirred(second)
