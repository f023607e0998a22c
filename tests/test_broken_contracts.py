"""The checks of contracts catch parts that break them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_contracts import DECOMPOSERS_WITH, PRIORS_WITH, SMALL

from l2rkit.degrade import GaussianNoise
from l2rkit.priors import StyleGAN2
from l2rkit.registry import DECOMPOSERS, PRIORS, REFINERS
from l2rkit.render import GridRenderer
from l2rkit.restore import Resample
from l2rkit.testing import (
    check_decomposer,
    check_degradation,
    check_loss,
    check_prior,
    check_refiner,
    check_renderer,
    check_restorer,
)


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


def test_a_decomposer_whose_view_alone_is_another_is_caught():
    part = DECOMPOSERS.build(
        dict(type="Unsup3DDecomposer", **DECOMPOSERS_WITH["Unsup3DDecomposer"])
    )
    part.predict_view = lambda photo: torch.ones(len(photo), 6)
    with pytest.raises(AssertionError, match="the view alone is not that of the face"):
        check_decomposer(part, 32)


def test_a_loss_that_is_not_finite_or_not_one_number_is_caught():
    def shown(scene):
        return scene.rendering.image[scene.mask.expand_as(scene.target) > 0].mean()

    with pytest.raises(AssertionError, match="the loss of the empty scene is nan"):
        check_loss(Saying(shown))
    with pytest.raises(AssertionError, match="one number, not of shape"):
        check_loss(Saying(lambda scene: scene.rendering.image.mean((1, 2, 3))))
    with pytest.raises(AssertionError, match=r"a loss is a torch\.nn\.Module, not a function"):
        check_loss(shown)


@pytest.mark.parametrize("name", ["albedo", "depth"])
def test_a_loss_whose_gradient_is_not_finite_on_a_flat_face_is_caught(name):
    """As of a total variation without a small number under its root."""

    def variation(scene):
        value = getattr(scene.face, name)
        return (
            (value.diff(dim=-1)[..., 1:, :] ** 2 + value.diff(dim=-2)[..., 1:] ** 2).sqrt().mean()
        )

    with pytest.raises(AssertionError, match=f"gradient of the .* scene to {name} is not finite"):
        check_loss(Saying(variation))


def test_a_refiner_that_spoils_or_changes_the_light_is_caught():
    def with_light(spoil):
        def refine(face, photo):
            light = face.light
            return replace(face, light=spoil(light))

        return Saying(refine)

    brighter = with_light(lambda light: replace(light, ambient=light.ambient / 2))
    check_refiner(brighter, changes=("light",))
    with pytest.raises(AssertionError, match="light was changed, which is not in"):
        check_refiner(brighter)
    with pytest.raises(AssertionError, match="the light has values that are not finite"):
        check_refiner(with_light(lambda light: replace(light, diffuse=light.diffuse / 0)))
    with pytest.raises(AssertionError, match="direction is not a unit vector"):
        check_refiner(with_light(lambda light: replace(light, direction=light.direction * 5)))


def test_a_refiner_of_light_or_view_alone_learns():
    class Turned(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.by = torch.nn.Parameter(torch.tensor(0.1))

        def forward(self, face, photo):
            return replace(face, view=face.view + self.by)

    check_refiner(Turned(), changes=("view",))


def test_a_decomposer_of_chance_or_of_the_batch_is_caught():
    part = DECOMPOSERS.build(dict(type="Unsup3DDecomposer", **SMALL, encoder_width=8))
    chance = Giving(part, lambda face: replace(face, albedo=torch.rand_like(face.albedo)))
    with pytest.raises(AssertionError, match="equal photos differ in albedo"):
        check_decomposer(chance, 32)
    mean = Giving(part, lambda face: replace(face, view=face.view + len(face)))
    with pytest.raises(AssertionError, match="view is predicted otherwise in a batch than alone"):
        check_decomposer(mean, 32)


def test_a_degradation_whose_two_ways_give_other_pictures_is_caught():
    class Odd(GaussianNoise):
        def degrade_image(self, image, drawn):
            return 1 - super().degrade_image(image, drawn)

    with pytest.raises(AssertionError, match="`degrade` and `degrade_image` differ by"):
        check_degradation(Odd())


def test_a_restorer_of_one_face_states_its_size():
    with pytest.raises(AssertionError, match="one aligned face states its `image_size`"):
        check_restorer(Giving(Resample(), lambda photo: photo, scale=2, aligned=True))


def test_a_degradation_that_forgets_its_generator_its_range_or_its_photos_is_caught():
    def noise(photo, generator, strength=0.1):
        field = torch.randn(photo.shape, generator=generator)
        return (photo + strength * field).clamp(0, 1)

    check_degradation(noise)
    with pytest.raises(AssertionError, match="equal generators give different results"):
        check_degradation(lambda photo, generator: noise(photo, None))
    with pytest.raises(AssertionError, match="different generators give the same result"):
        check_degradation(lambda photo, generator: photo * 0.5)
    check_degradation(lambda photo, generator: photo * 0.5, random=False)
    with pytest.raises(AssertionError, match="different generators give different results"):
        check_degradation(noise, random=False)
    with pytest.raises(AssertionError, match="all photos of a batch are degraded alike"):
        check_degradation(lambda p, g: noise(p[:1], g).expand_as(p))
    with pytest.raises(AssertionError, match=r"the degraded photo lies in .* not within 0\.\.1"):
        check_degradation(lambda photo, generator: noise(photo, generator) - 0.5)
    with pytest.raises(AssertionError, match="the degraded photo became"):
        check_degradation(lambda photo, generator: noise(photo, generator)[..., ::2])
    with pytest.raises(AssertionError, match="not finite"):
        check_degradation(lambda photo, generator: noise(photo, generator) / 0)
    with pytest.raises(AssertionError, match="the photo itself was changed"):
        check_degradation(lambda photo, generator: photo.mul_(noise(photo, generator)))


def test_a_degradation_whose_two_ways_disagree_in_kind_is_caught():
    class Spoilt(GaussianNoise):
        def degrade_image(self, image, drawn):
            return np.float64(image)

    with pytest.raises(AssertionError, match="on_image gives float64, not float32"):
        check_degradation(Spoilt())


def test_a_restorer_that_hides_its_size_or_mixes_photos_is_caught():
    class Spoilt(Resample):
        def __init__(self, spoil):
            super().__init__()
            self.spoil = spoil

        def forward(self, photo):
            return self.spoil(super().forward(photo))

    check_restorer(Spoilt(lambda photo: photo))
    with pytest.raises(AssertionError, match="states its enlargement"):
        check_restorer(torch.nn.Identity())
    with pytest.raises(AssertionError, match=r"became \(3, 3, 64, 64\), not \(3, 3, 128, 128\)"):
        check_restorer(Spoilt(lambda photo: photo[..., ::2, ::2]))
    with pytest.raises(AssertionError, match=r"not within 0\.\.1"):
        check_restorer(Spoilt(lambda photo: photo - 0.5))
    with pytest.raises(AssertionError, match="otherwise in a batch than alone"):
        check_restorer(Spoilt(lambda photo: photo * photo.mean()))
    with pytest.raises(AssertionError, match="restored differently"):
        check_restorer(Spoilt(lambda p: p * torch.linspace(0.5, 1, len(p))[:, None, None, None]))


def test_a_prior_that_forgets_its_range_its_latents_or_to_be_frozen_is_caught():
    def spoilt(spoil=lambda image, features: (image, features), **changed):
        class Spoilt(StyleGAN2):
            def forward(self, latents):
                return spoil(*super().forward(latents))

        torch.manual_seed(0)
        return Spoilt(**PRIORS_WITH["StyleGAN2"], **changed)

    check_prior(spoilt())
    with pytest.raises(AssertionError, match="weights are not frozen"):
        check_prior(spoilt(frozen=False))
    with pytest.raises(AssertionError, match=r"image lies in .* not within 0\.\.1"):
        check_prior(spoilt(lambda image, features: (2 * image - 1, features)))
    with pytest.raises(AssertionError, match="equal latents of a batch"):
        check_prior(spoilt(lambda image, features: (image * torch.rand(3, 1, 1, 1), features)))
    with pytest.raises(AssertionError, match="different latents give the same image"):
        check_prior(spoilt(lambda image, features: (image[:1].expand_as(image), features)))
    with pytest.raises(AssertionError, match="no gradient goes from the image to the latents"):
        check_prior(spoilt(lambda image, features: (image.detach() + 0 * image, features)))
    with pytest.raises(AssertionError, match="features at 4 px are"):
        check_prior(spoilt(lambda image, features: (image, {4: features[8]})))


def test_a_refiner_that_changes_what_it_does_not_name_or_mixes_faces_is_caught():
    class Spoilt(torch.nn.Module):
        def __init__(self, spoil):
            super().__init__()
            self.weight, self.spoil = torch.nn.Parameter(torch.zeros(())), spoil

        def forward(self, face, photo):
            return self.spoil(replace(face, albedo=face.albedo + self.weight))

    check_refiner(Spoilt(lambda face: face), changes=("albedo",))
    for sentence, spoil in (
        ("view was changed", lambda face: replace(face, view=face.view * 2)),
        ("albedo lies in", lambda face: replace(face, albedo=face.albedo * 3)),
        ("otherwise in a batch", lambda f: replace(f, albedo=0 * f.albedo + f.albedo.mean())),
        ("no gradient", lambda face: replace(face, albedo=face.albedo.detach())),
    ):
        with pytest.raises(AssertionError, match=sentence):
            check_refiner(Spoilt(spoil), changes=("albedo",))


class Giving(torch.nn.Module):
    """A part that gives something else than it should."""

    def __init__(self, part, spoil, **stated):
        super().__init__()
        self.part, self.spoil = part, spoil
        for name, value in stated.items():
            setattr(self, name, value)

    def forward(self, *given, **named):
        return self.spoil(self.part(*given, **named))


class Saying(torch.nn.Module):
    """A part that answers as a function does."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, *given):
        return self.answer(*given)


def doubled(face):
    return replace(face, depth=face.depth.double())


def decomposer():
    return DECOMPOSERS.build(dict(type="Unsup3DDecomposer", **SMALL))


def refiner():
    return REFINERS.build(dict(type="FittedLight"))


def prior():
    return PRIORS.build(dict(type="StyleGAN2", **PRIORS_WITH["StyleGAN2"]))


@pytest.mark.parametrize(
    "check, part, sentence",
    [
        (check_renderer, lambda: Giving(GridRenderer(), doubled), "depth is torch.float64"),
        (check_renderer, lambda: Giving(GridRenderer(), lambda s: (s.image,)), "not a tuple"),
        (check_decomposer, lambda: Giving(decomposer(), doubled), "depth is torch.float64"),
        (check_decomposer, lambda: Giving(decomposer(), lambda f: (f,)), "a Face, not tuple"),
        (check_refiner, lambda: Giving(refiner(), doubled), "depth is torch.float64"),
        (check_refiner, lambda: Giving(refiner(), lambda f: (f,)), "a Face, not tuple"),
        (
            check_restorer,
            lambda: Giving(Resample(), lambda p: (p * 255).byte(), scale=2),
            "restored photo is torch.uint8",
        ),
        (check_restorer, lambda: Giving(Resample(), lambda p: (p,), scale=2), "not a tuple"),
        (check_restorer, lambda: Giving(Resample(), lambda p: p, scale=2.5), "`scale` is a float"),
        (check_prior, lambda: Giving(prior(), lambda g: g[0], size=32, latent=16), "not a Tensor"),
        (
            check_prior,
            lambda: Giving(prior(), lambda g: (g[0].double(), g[1]), size=32, latent=16),
            "image is torch.float64",
        ),
        (check_loss, lambda: Saying(lambda scene: 0.5), "not a float"),
        (check_loss, lambda: Saying(lambda scene: (scene.mask.mean(),)), "not a tuple"),
        (check_loss, lambda: Saying(lambda scene: torch.tensor(3)), "not torch.int64"),
        (
            check_loss,
            lambda: Saying(lambda scene: scene.rendering.image.double().mean()),
            "not torch.float64",
        ),
        (check_degradation, lambda: lambda photo, generator: (photo,), "not a tuple"),
    ],
)
def test_what_is_of_another_kind_is_caught(check, part, sentence):
    torch.manual_seed(0)
    with pytest.raises(AssertionError, match=sentence.replace(".", r"\.")):
        check(part(), 32) if check is check_decomposer else check(part())


def test_a_loss_that_takes_the_mirrored_face_unasked_is_caught():
    class Unasked(torch.nn.Module):
        def forward(self, scene):
            return (scene.mirrored.image - scene.target).abs().mean()

    class Asking(Unasked):
        needs_mirrored = True

    check_loss(Asking())
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'image'"):
        check_loss(Unasked())


class Spoilt(torch.nn.Module):
    """A part without weights that calls `spoil` with its inputs."""

    image_size = 32

    def __init__(self, spoil):
        super().__init__()
        self.spoil = spoil

    def forward(self, *inputs, person=None):
        return self.spoil(*inputs)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda face, photo: (face.albedo.mul_(0.5), face)[1], "was changed in place"),
        (lambda face, photo: (face.view.zero_(), face)[1], "was changed in place"),
        (lambda face, photo: (photo.zero_(), face)[1], "was changed in place"),
        (lambda face, photo: replace(face, region=None), "region was lost"),
        (lambda face, photo: replace(face, region=face.region * 0.3), "other than 0 and 1"),
        (
            lambda face, photo: replace(face, displacement=face.depth * torch.nan),
            "displacement is not finite",
        ),
    ],
)
def test_a_refiner_that_spoils_what_it_gets_is_caught(spoil, said):
    with pytest.raises(AssertionError, match=said):
        check_refiner(Spoilt(spoil), changes=("depth", "albedo", "view"))


def test_decomposers_and_restorers_that_change_the_photo_are_caught():
    with pytest.raises(AssertionError, match="photo was changed in place"):
        check_restorer(Spoilt(lambda photo: photo.mul_(0.5)))
    part = DECOMPOSERS.build(dict(type="Unsup3DDecomposer", **SMALL))
    with pytest.raises(AssertionError, match="photo was changed in place"):
        check_decomposer(Spoilt(lambda photo: part(photo.zero_())), 32)
    region = torch.full((2, 1, 32, 32), 0.3)
    with pytest.raises(AssertionError, match="region has values other than 0 and 1"):
        check_decomposer(Spoilt(lambda photo: replace(part(photo), region=region)), 32)


def test_a_loss_that_changes_the_scene_is_caught():
    class Centred(torch.nn.Module):
        def forward(self, scene):
            scene.target.sub_(0.1)
            return (scene.rendering.image - scene.target).abs().mean()

    class Darker(torch.nn.Module):
        def forward(self, scene):
            scene.face.albedo.data.mul_(0.5)
            return scene.face.albedo.mean()

    for part in (Centred(), Darker()):
        with pytest.raises(AssertionError, match="the scene was changed in place"):
            check_loss(part)


def test_a_refiner_whose_displacement_mixes_photos_is_caught():
    def mixed(face, photo):
        return replace(face, displacement=face.albedo.mean((0, 1), keepdim=True) - face.depth)

    with pytest.raises(AssertionError, match="displacement is refined otherwise in a batch"):
        check_refiner(Spoilt(mixed))
    for changes in ("albedo", ("albdo",)):
        with pytest.raises(AssertionError, match=r"`changes` are some of \['albedo', 'depth'"):
            check_refiner(Spoilt(lambda face, photo: face), changes=changes)
