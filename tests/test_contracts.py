"""Each registered part keeps its registry's contract, and the checks catch parts that do not."""

import re
from pathlib import Path

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
from l2rkit.stated import STATED
from l2rkit.testing import (
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
    "FittedLight": ("albedo", "light"),
    "PriorAlbedo": ("albedo",),
    "RefinedGeometry": ("depth",),
    "UnwrappedAlbedo": ("albedo", "light"),
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
