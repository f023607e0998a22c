"""The pipeline from photo to losses, with a tiny model."""

from dataclasses import replace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import SGD

from l2rkit.adversary import Adversary
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.errors import ConfigError, PartError
from l2rkit.losses import Photometric, ZeroMeanPose
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from l2rkit.structures import Face
from l2rkit.testing import example_face


def tiny(**changes):
    torch.manual_seed(0)
    parts = dict(
        decompose=Unsup3DDecomposer(32, width=8, encoder_width=8, view_gain=0.05),
        render=dict(type=GridRenderer),
        losses=dict(photometric=dict(type=Photometric), views=ZeroMeanPose(0.5)),
    )
    return FaceReconstructor(**{**parts, **changes})


def photos(batch=2):
    return GridRenderer()(example_face(32, batch)).image.clamp(0, 1)


def test_three_modes():
    model, photo = tiny(), photos()
    assert isinstance(model(photo), Face)
    labels = dict(depth=torch.ones(2, 1, 32, 32), name=["a", "b"])
    losses = model(photo, mode="loss", **labels)
    assert set(losses) == {"loss_photometric", "loss_views"}
    (scene,) = model.eval()(photo, mode="predict", **labels)
    assert scene.target is photo and scene.mirrored is None
    assert not scene.rendering.image.requires_grad
    assert torch.equal(scene.rendering.depth, GridRenderer()(scene.face).depth)
    with pytest.raises(PartError, match="FaceReconstructor has no mode 'los': did you mean 'loss'"):
        model(photo, mode="los")


def test_photos_are_as_large_as_the_renderings():
    model = tiny(render=dict(type=GridRenderer, size=64)).eval()
    assert tiny().image_size == 32 and model.image_size == 64
    (scene,) = model(torch.rand(1, 3, 64, 64), mode="predict")
    assert scene.rendering.image.shape == scene.target.shape and scene.face.size == 32


def test_the_training_scene_has_the_mirrored_face_too():
    scene = tiny().scene(photos())
    mirrored = GridRenderer()(scene.face.mirrored())
    assert torch.equal(scene.mirrored.image, mirrored.image)
    assert torch.equal(scene.mask, scene.rendering.mask * mirrored.mask)


def test_the_mirrored_face_is_rendered_only_if_a_loss_asks():
    rendered = []

    class Counting(GridRenderer):
        def forward(self, face):
            rendered.append(face)
            return super().forward(face)

    photo = photos()
    for mirror, times in ((0.5, 2), (0.0, 1)):
        rendered.clear()
        model = tiny(render=Counting(), losses=dict(colours=Photometric(mirror=mirror)))
        scene = model.scene(photo)
        assert len(rendered) == times and (scene.mirrored is None) == (times == 1)
        assert model.losses_of(scene)["loss_colours"].isfinite()


def test_one_step_is_one_update_by_the_losses_of_mode_loss():
    model, photo = tiny(), photos()
    losses = model(photo, mode="loss")
    before = torch.cat([w.detach().flatten() for w in model.parameters()])
    sum(losses.values()).backward()
    grads = torch.cat([(w * 0 if w.grad is None else w.grad).flatten() for w in model.parameters()])
    model.zero_grad()
    report = model.train_step(dict(photo=photo), OptimWrapper(SGD(model.parameters(), 0.1)))
    assert report.keys() == {"loss", *losses}
    torch.testing.assert_close(report["loss_views"], losses["loss_views"])
    after = torch.cat([w.detach().flatten() for w in model.parameters()])
    torch.testing.assert_close(after, before - 0.1 * grads, atol=1e-6, rtol=1e-4)


def test_gradients_reach_every_network():
    model = tiny()
    sum(model(photos(), mode="loss").values()).backward()
    for name in ("depth", "albedo", "light", "view", "confidence"):
        for key, weight in getattr(model.decompose, name).named_parameters():
            if key.startswith("out_net2"):  # confidence in features, which have no loss here
                continue
            assert weight.grad is not None and weight.grad.isfinite().all(), (name, key)
            assert weight.grad.abs().sum() > 0, (name, key)


class Negative(nn.Module):
    """A restorer."""

    def forward(self, photo):
        return 1 - photo


class Nearer(nn.Module):
    """A refiner that says what photo it saw."""

    def __init__(self, by):
        super().__init__()
        self.by, self.seen = by, None

    def forward(self, face, photo):
        self.seen = photo
        return Face(face.depth * self.by, face.albedo, face.light, face.view)


def test_a_restorer_comes_first_and_refiners_last_in_turn():
    photo = photos()
    plain = tiny().eval()
    first, second = Nearer(0.5), Nearer(0.25)
    model = tiny(restore=Negative(), refine=dict(first=first, second=second)).eval()
    with torch.no_grad():
        face, expected = model(photo), plain(1 - photo)
    torch.testing.assert_close(face.depth, expected.depth / 8)
    torch.testing.assert_close(face.albedo, expected.albedo)
    assert torch.equal(first.seen, 1 - photo) and torch.equal(second.seen, 1 - photo)
    (scene,) = model(photo, mode="predict")
    assert scene.target is photo  # losses and metrics aim at the photo as it came


def test_a_decomposer_gets_the_person():
    class Telling(nn.Module):
        def forward(self, photo, person=None):
            self.person = person
            return example_face(32, len(photo))

    part, person = Telling(), torch.tensor([3, 4])
    tiny(decompose=part)(photos(), person)
    assert torch.equal(part.person, person)


def test_a_few_steps_on_one_batch_lower_the_loss():
    model, photo = tiny().train(), photos(4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    values = []
    for _ in range(25):
        loss = sum(model(photo, mode="loss").values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0] - 0.2


def test_half_precision_is_the_networks_alone(halved):
    exact, half = tiny(), tiny(precision="bfloat16")
    seen = []
    layer = half.decompose.depth.network[5]
    layer.register_forward_hook(lambda _, __, out: seen.append(out.dtype))
    losses = half(photos(), mode="loss")
    sum(losses.values()).backward()
    assert seen == [torch.bfloat16]
    assert all(loss.dtype == torch.float32 for loss in losses.values())
    assert all(w.grad is None or w.grad.dtype == torch.float32 for w in half.parameters())
    with torch.no_grad():
        expected, got = exact.eval()(photos()), half.eval()(photos())
    assert got.depth.dtype == got.albedo.dtype == got.view.dtype == torch.float32
    torch.testing.assert_close(got.depth, expected.depth, atol=6e-3, rtol=0)
    torch.testing.assert_close(got.view, expected.view, atol=2e-3, rtol=0)
    # A bfloat16 depth near 1 would have steps of 2^-8 and so fifty values in its range.
    assert len(got.depth.unique()) > 500


def test_a_plugin_in_half_precision_gives_the_renderer_float32(halved):
    """Its layers may give what autocast makes of them."""

    class Plain(nn.Module):
        image_size = 32

        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, photo, person=None):
            said = self.layer(photo).sigmoid()
            assert said.dtype == torch.bfloat16
            face = example_face(32, len(photo))
            return replace(face, depth=0.95 + 0.1 * said[:, :1], albedo=said[:, 1:])

    model = FaceReconstructor(Plain(), render=GridRenderer(), precision="bfloat16")
    face = model(torch.rand(2, 3, 32, 32))
    assert face.depth.dtype == face.albedo.dtype == torch.float32
    assert model(torch.rand(2, 3, 32, 32), mode="scene").rendering.image.dtype == torch.float32


def test_a_method_without_a_size_is_one_line():
    with pytest.raises(PartError, match="neither Identity, a refiner nor the renderer states its"):
        FaceReconstructor(nn.Identity(), render=GridRenderer()).image_size  # noqa: B018


def test_an_unknown_precision_is_refused():
    with pytest.raises(ConfigError, match="precision is one of None, 'bfloat16', 'float16', not"):
        tiny(precision="bf16")


def test_a_degraded_photo_is_seen_and_its_clean_one_aimed_at():
    model, clean = tiny(), photos()
    degraded = clean * 0.5
    scene = model.scene(degraded, clean=clean)
    assert scene.target is clean
    assert torch.equal(scene.face.albedo, model.face(degraded).albedo)
    aimed = model(degraded, clean=clean, mode="loss")["loss_photometric"]
    assert aimed.item() == model.losses.photometric(scene).item()
    assert aimed.item() != model(degraded, mode="loss")["loss_photometric"].item()


def test_a_fidelity_reaches_the_refiners_that_have_one():
    class Trading(nn.Identity):
        fidelity = 1.0

    model = tiny(refine=dict(one=Trading(), other=nn.Identity()))
    model.set_fidelity(0.25)
    assert model.refine["one"].fidelity == 0.25 and not hasattr(model.refine["other"], "fidelity")
    with pytest.raises(PartError, match=r"fidelity is within 0\.\.1, not 1\.5"):
        model.set_fidelity(1.5)
    with pytest.raises(PartError, match="no refiner of this method has a fidelity"):
        tiny().set_fidelity(0.5)


class Spoilt(nn.Module):
    """Gives what `give` makes of what it is given first."""

    def __init__(self, give):
        super().__init__()
        self.give = give

    def forward(self, given, *others):
        return self.give(given)


@pytest.mark.parametrize(
    "parts, sentence",
    [
        (
            dict(restore=Spoilt(lambda p: (255 * p).byte())),
            r"gives torch\.uint8, not floats",
        ),
        (dict(restore=Spoilt(lambda p: (p,))), "Spoilt gives tuple, not floats"),
        (dict(decompose=Spoilt(lambda p: (p, p))), "Spoilt gives a tuple, not a Face"),
        (dict(refine=dict(one=Spoilt(lambda f: f.depth))), "Spoilt gives a Tensor, not a Face"),
        (
            dict(losses=dict(a=Spoilt(lambda s: s.mask.long().sum()))),
            "int64 of shape",
        ),
        (
            dict(losses=dict(a=Spoilt(lambda s: s.target.mean((1, 2, 3))))),
            "float32 of shape",
        ),
        (dict(losses=dict(a=Spoilt(lambda s: 0.5))), "Spoilt gives a float, not a tensor"),
    ],
)
def test_what_a_part_may_not_give_ends_a_run_in_one_line(parts, sentence):
    with pytest.raises(PartError, match=sentence) as said:
        tiny(**parts)(photos(), mode="loss")
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("name", ["Photometric", "Perceptual", "CycleConsistency", "TrueGeometry"])
def test_without_a_renderer_no_loss_compares_renderings(name):
    loss = dict(type=name) | (dict(features=nn.Identity()) if name == "Perceptual" else {})
    with pytest.raises(PartError, match=f"{name} requires a renderer, not render=None"):
        tiny(render=None, losses=dict(some=loss))
    assert tiny(render=None, losses=dict(views=ZeroMeanPose()))(photos(), mode="loss")


def test_without_a_renderer_there_is_no_adversary():
    with pytest.raises(PartError, match="Adversary requires a renderer, not render=None"):
        tiny(render=None, losses={}, adversary=Adversary(nn.Flatten()))
