"""Each registered part keeps its registry's contract, and the checks catch parts that do not."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from renderers import triton_interprets

import l2rkit
import l2rkit.decompose
import l2rkit.degrade
import l2rkit.losses
import l2rkit.priors
import l2rkit.refine
import l2rkit.render
import l2rkit.restore
from l2rkit.registry import (
    DECOMPOSERS,
    DEGRADATIONS,
    LOSSES,
    PRIORS,
    REFINERS,
    RENDERERS,
    RESTORERS,
)
from l2rkit.render import GridRenderer
from l2rkit.restore import Resample
from l2rkit.testing import (
    STATED,
    check_decomposer,
    check_degradation,
    check_loss,
    check_prior,
    check_refiner,
    check_renderer,
    check_restorer,
)

SMALL = dict(image_size=32, width=8)
# Arguments of parts that do not go without, or would be slow.
DECOMPOSERS_WITH = {
    "EquivariantDecomposer": dict(SMALL, encoder_width=8),
    "FaceMeshDecomposer": dict(image_size=32),
    "Unsup3DDecomposer": dict(SMALL, encoder_width=8),
}
BLURS = [dict(type="GaussianBlur", sigma=2), dict(type="MotionBlur")]
DEGRADATIONS_WITH = {
    "Compose": dict(parts=BLURS),
    "DegradationLevel": dict(name="severe"),
    "RandomApply": dict(probability=0.5, part=BLURS[0]),
    "RandomChoice": dict(parts=BLURS),
    "RandomOrder": dict(parts=[*BLURS, dict(type="Jpeg")]),
    "DegradationRecipe": dict(name="l2r"),
    "Resized": dict(scale=(0.3, 1.5)),
    "DownUpsample": dict(factor=(1, 4)),
}


class Colours(torch.nn.Module):
    """An embedding: the mean colours of the halves of a picture."""

    def forward(self, photo):
        return torch.nn.functional.adaptive_avg_pool2d(photo, 2).flatten(1)


LOSSES_WITH = {
    "Identity": dict(embedding=Colours()),
    "Perceptual": dict(features=dict(type="MobileNetFeatures")),
}
# What needs files or labels has tests of its own.
ELSEWHERE = {"LandmarkDistillation", "Distillation", "TrueGeometry", "ViewDistillation"}


# Parts that bring weights, here at random; what needs files of others has tests of its own.
RESTORERS_WITH = {
    "DFDNet": dict(weights=None),
    "FaceRestorer": dict(weights=None),
    "SelfEnsemble": dict(restore=dict(type="Resample")),
}
BROUGHT = {"RealESRGAN", "Spandrel"}
PRIORS_WITH = {
    "StyleGAN2": dict(size=32, width=0.02, latent=16),
    "GrownStyleGAN2": dict(weights="stylegan2_64_heads", size=128),
}
REFINERS_WITH = {
    "PriorAlbedo": dict(prior=dict(type="StyleGAN2", **PRIORS_WITH["StyleGAN2"]), width=4),
    "RefinedGeometry": dict(widths=(8, 8)),
}
REFINERS_CHANGE = {
    "FittedLight": ("albedo",),
    "PriorAlbedo": ("albedo",),
    "RefinedGeometry": ("depth",),
    "UnwrappedAlbedo": ("albedo",),
}


def ours(registry):
    return sorted(n for n, c in registry.module_dict.items() if c.__module__.startswith("l2rkit."))


@pytest.mark.parametrize("name", ours(RENDERERS))
def test_renderers(name):
    if name == "PyTorch3DRenderer":
        pytest.importorskip("pytorch3d")
    if name == "TritonRenderer" and not triton_interprets():
        pytest.skip("Triton's interpreter is not here: make triton")
    check_renderer(RENDERERS.build(dict(type=name)))


@pytest.mark.parametrize("name", [n for n in ours(RESTORERS) if n not in BROUGHT])
def test_restorers(name):
    check_restorer(RESTORERS.build(dict(type=name, **RESTORERS_WITH.get(name, {}))))


@pytest.mark.parametrize("name", ours(PRIORS))
def test_priors(name):
    torch.manual_seed(0)
    check_prior(PRIORS.build(dict(type=name, **PRIORS_WITH.get(name, {}))))


@pytest.mark.parametrize("name", ours(REFINERS))
def test_refiners(name):
    torch.manual_seed(0)
    part = REFINERS.build(dict(type=name, **REFINERS_WITH.get(name, {})))
    check_refiner(part, changes=REFINERS_CHANGE.get(name, ("depth", "albedo")))


@pytest.mark.parametrize("name", ours(DECOMPOSERS))
def test_decomposers(name):
    torch.manual_seed(0)
    check_decomposer(DECOMPOSERS.build(dict(type=name, **DECOMPOSERS_WITH.get(name, SMALL))), 32)


@pytest.mark.parametrize("name", [n for n in ours(LOSSES) if n not in ELSEWHERE])
def test_losses(name):
    check_loss(LOSSES.build(dict(type=name, **LOSSES_WITH.get(name, {}))))


@pytest.mark.parametrize("name", ours(DEGRADATIONS))
def test_degradations(name):
    part = DEGRADATIONS.build(dict(type=name, **DEGRADATIONS_WITH.get(name, {})))
    check_degradation(part, random=name != "Greyscale")


@pytest.mark.parametrize("kind", ["DegradationRecipe", "DegradationLevel"])
def test_named_degradations(kind):
    names = l2rkit.degrade.RECIPES if kind == "DegradationRecipe" else l2rkit.degrade.LEVELS
    for name in names:
        part = DEGRADATIONS.build(dict(type=kind, name=name))
        check_degradation(part, random=name not in ("clean", "x4"))


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
    with pytest.raises(AssertionError, match="the loss of the empty scene is nan"):
        check_loss(
            lambda scene: scene.rendering.image[scene.mask.expand_as(scene.target) > 0].mean()
        )
    with pytest.raises(AssertionError, match="one number, not of shape"):
        check_loss(lambda scene: scene.rendering.image.mean((1, 2, 3)))


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
    class Spoilt(l2rkit.degrade.GaussianNoise):
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
        class Spoilt(l2rkit.priors.StyleGAN2):
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
        (check_loss, lambda: lambda scene: 0.5, "not a float"),
        (check_loss, lambda: lambda scene: (scene.rendering.image.mean(),), "not a tuple"),
        (check_loss, lambda: lambda scene: torch.tensor(3), "not torch.int64"),
        (
            check_loss,
            lambda: lambda scene: scene.rendering.image.double().mean(),
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


def test_every_attribute_that_the_package_asks_for_is_documented():
    """By `getattr` or `hasattr` of parts of a model, anywhere in the package."""
    root = Path(l2rkit.__file__).parent
    asked = re.compile(
        r"(?:getattr|hasattr)\(\s*(?:part|self\.decompose|self\.restore|self\.model\.decompose"
        r"|restorer|prior|loss|kind), \"(\w+)\""
    )
    found = {name for path in root.rglob("*.py") for name in asked.findall(path.read_text("utf-8"))}
    assert {
        "image_size",
        "external_weights",
        "view_limits",
        "needs_whole_photo",
        "shares",
        "change_features",
        "fidelity",
    } <= found
    assert found <= set(STATED)
