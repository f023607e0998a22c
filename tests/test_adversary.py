"""The adversary: its inputs and conditions, its gradients and the generator loss."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from l2rkit.adversary import BEHIND, Adversary, another, ellipse
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine.randomness import seed_all
from l2rkit.errors import PartError
from l2rkit.geometry import view_of
from l2rkit.losses import Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.ops.gradients import frozen
from l2rkit.priors import OptimizerForEach, StyleGAN2Discriminator
from l2rkit.refine import RefinedGeometry
from l2rkit.render import GridRenderer
from l2rkit.structures import Scene
from l2rkit.testing import example_face

SIZE = 32


def discriminator(condition=6):
    torch.manual_seed(0)
    return StyleGAN2Discriminator(size=SIZE, width=1 / 64, condition=condition)


def scene(batch=4):
    """Faces under views of their own, and photos of what they look like."""
    face = example_face(SIZE, batch)
    views = torch.stack([view_of(yaw_deg=10 * i - 15) for i in range(batch)])
    face = replace(face, depth=face.depth.clone().requires_grad_()).with_view(views)
    render = GridRenderer()
    own = render(face)
    return Scene(own.image.detach().clamp(0, 1), face, own, own, render)


def test_faces_are_drawn_in_the_views_of_other_photos():
    seen = scene()
    adversary = Adversary(discriminator())
    torch.manual_seed(1)
    who = another(seen)
    assert sorted(who.tolist()) == [0, 1, 2, 3] != who.tolist()
    torch.manual_seed(1)
    fake, real = adversary.discriminator_inputs(seen)
    torch.testing.assert_close(fake.view, real.view[who])
    expected = GridRenderer()(seen.face.with_view(seen.face.view[who])).image
    middle = (..., slice(14, 18), slice(14, 18))
    torch.testing.assert_close(fake.image[middle], expected[middle])
    assert torch.equal(real.image[middle], seen.target[middle])


def test_a_2d_adversary_sees_faces_as_they_are_and_is_told_no_view():
    seen = scene()
    fake, real = Adversary(discriminator(0), turned=False).discriminator_inputs(seen)
    assert fake.view is None and real.view is None
    torch.testing.assert_close(fake.image, real.image, atol=1e-5, rtol=0)


def test_around_the_middle_of_the_face_there_is_nothing_to_judge():
    seen = scene()
    still_face = seen.face.with_view(torch.zeros(6))
    own = GridRenderer()(still_face)
    seen = replace(seen, face=still_face, rendering=own)
    _, real = Adversary(discriminator()).discriminator_inputs(seen)
    outside = (ellipse(SIZE) == 0).expand_as(real.image)
    assert 0.2 < outside.float().mean() < 0.5
    # at the rim, where sampling blends, a pixel may be a little of both
    assert ((real.image - BEHIND).abs() < 1e-5)[outside].float().mean() > 0.97


def test_the_view_condition_has_units_of_30_degrees_and_a_twentieth():
    face = example_face(SIZE, 2).with_view(torch.tensor([0, torch.pi / 6, 0, 0.05, 0, 0]))
    own = GridRenderer()(face)
    _, real = Adversary(discriminator()).discriminator_inputs(
        Scene(own.image, face, own, own, GridRenderer())
    )
    torch.testing.assert_close(real.view[0], torch.tensor([0, 1.0, 0, 1.0, 0, 0]))


def test_while_it_is_fooled_it_learns_nothing_but_depth_does():
    adversary, seen = Adversary(discriminator()), scene()
    fake, _ = adversary.discriminator_inputs(seen)
    with frozen(adversary):
        adversary.generator_loss(fake).backward()
    assert all(weight.grad is None for weight in adversary.parameters())
    assert all(weight.requires_grad for weight in adversary.parameters())
    assert seen.face.depth.grad.abs().sum() > 0


def test_the_discriminator_loss_reaches_no_face():
    adversary, seen = Adversary(discriminator()), scene()
    adversary.discriminator_loss(*adversary.discriminator_inputs(seen))["loss"].backward()
    assert seen.face.depth.grad is None
    assert all(weight.grad.abs().sum() > 0 for weight in adversary.parameters())


class Brightness(nn.Module):
    """A discriminator of one known weight: score = weight * mean of the image in [-1, 1]."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, image):  # without a `condition`, it is given no view
        return self.weight * (2 * image - 1).mean((1, 2, 3))


def test_losses_are_the_non_saturating_ones_and_r1_comes_every_16th_step():
    adversary, seen = Adversary(Brightness(), weight=0.5, r1=3.0, turned=False), scene()
    fake, real = adversary.discriminator_inputs(seen)
    score = 2.0 * (2 * fake.image - 1).mean((1, 2, 3))
    plain = (1 + score.exp()).log().mean() + (1 + (-score).exp()).log().mean()
    # the slope is 2 / n for each of n values; its squares sum to 4 / n
    steep = 16 * 3.0 / 2 * 4 / (3 * SIZE**2)
    for step in range(18):
        expected = plain + (steep if step % 16 == 0 else 0)
        loss = adversary.discriminator_loss(fake, real)["loss"]
        torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        adversary.generator_loss(fake), 0.5 * (1 + (-score).exp()).log().mean()
    )


def test_it_learns_to_tell_flat_faces_from_deep_ones():
    """Photos show a bump lit from the side; the faces drawn are flat, of the same albedo."""
    seen = scene(8)
    flat = replace(seen.face, depth=torch.ones_like(seen.face.depth))
    flat_scene = replace(seen, face=flat, rendering=GridRenderer()(flat))
    adversary = Adversary(discriminator())
    optimizer = Adam(adversary.parameters(), lr=5e-3, betas=(0.0, 0.99))
    for _ in range(40):
        report = adversary.discriminator_loss(*adversary.discriminator_inputs(flat_scene))
        optimizer.zero_grad()
        report["loss"].backward()
        optimizer.step()
    assert report["score_real"] - report["score_fake"] > 0.5


def trained(steps, model=None, wrapped=None, begin=0):
    torch.manual_seed(0)
    if model is None:
        model = FaceReconstructor(
            decompose=Unsup3DDecomposer(SIZE, width=8, encoder_width=8, view_gain=0.05),
            refine=dict(geometry=RefinedGeometry(widths=(8, 8))),
            render=GridRenderer(),
            losses=dict(photometric=dict(type=Photometric)),
            adversary=Adversary(discriminator()),
        )
        described = dict(others=sgd(1e-3), adversary=sgd(1e-2))
        wrapped = OptimizerForEach(described)(model)
    photo = scene().target
    for step in range(begin, begin + steps):
        seed_all(0, 0, step)
        report = model.train_step(dict(photo=photo, clean=photo), wrapped)
    return model, wrapped, report


def sgd(lr):
    return dict(optimizer=dict(type=SGD, lr=lr), clip_grad=dict(max_norm=1.0))


def test_a_step_of_the_model_moves_both_sides_and_reports_both():
    model, wrapped, _ = trained(1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _, _, report = trained(1, model, wrapped)
    moved = {
        n.split(".")[0] for n, v in model.state_dict().items() if not torch.equal(v, before[n])
    }
    assert moved == {"decompose", "refine", "adversary"}
    assert {"loss", "loss_photometric", "loss_adversary", "adversary_loss"} <= set(report)
    total = report["loss_photometric"] + report["loss_adversary"]
    torch.testing.assert_close(report["loss"], total)


def test_a_stopped_training_goes_on_bit_for_bit():
    whole, *_ = trained(5)
    model, wrapped, _ = trained(2)
    again, optimizers, _ = trained(1)
    again.load_state_dict(model.state_dict())
    optimizers.load_state_dict(wrapped.state_dict())
    trained(3, again, optimizers, begin=2)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_others_are_all_parts_that_no_optimizer_names():
    model, wrapped, _ = trained(1)
    owned = {id(w) for group in wrapped["others"].param_groups for w in group["params"]}
    expected = {id(w) for n, w in model.named_parameters() if not n.startswith("adversary.")}
    assert owned == expected


def test_a_discriminator_with_another_condition_is_refused():
    with pytest.raises(PartError, match=r"is a view \(6\), not 3"):
        Adversary(discriminator(3))
