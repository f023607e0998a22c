"""Results on a GPU equal those on a CPU: renderers, losses, StyleGAN2, training steps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from on_gpu import DEVICE, REHEARSED, error, marks, there
from small_models import SIZE, l2r, prior, unsup3d
from test_contracts import ELSEWHERE, LOSSES_WITH, ours

from l2rkit.geometry import move, project, unproject, view_of
from l2rkit.ops.gradients import input_gradient
from l2rkit.priors import StyleGAN2, StyleGAN2Discriminator
from l2rkit.registry import LOSSES, RENDERERS
from l2rkit.render import GridRenderer, rasterize_grid, rasterize_torch, rasterize_triton
from l2rkit.render.fastest import rasterizer_for
from l2rkit.structures import Face, Rendering, Scene
from l2rkit.testing import example_face

pytestmark = marks
NEEDS = {"TritonRenderer": "triton", "NvdiffrastRenderer": "nvdiffrast"}
RENDERER_NAMES = ("GridRenderer", "TorchRenderer", *NEEDS)


@pytest.fixture(autouse=True)
def in_full_float32() -> Iterator[None]:
    """Matrix products and convolutions in float32, not in the shorter TF32."""
    both = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [part.allow_tf32 for part in both]
    for part in both:
        part.allow_tf32 = False
    yield
    for part, was in zip(both, before):
        part.allow_tf32 = was


def bumpy(size: int, batch: int = 2) -> Face:
    noise = torch.rand(batch, 1, size, size, generator=torch.Generator().manual_seed(3))
    face = example_face(size, batch)
    return replace(face, depth=face.depth + 0.6 / size * noise).with_view(view_of(25, -10))


def drawn(renderer: object, face: Face) -> tuple[Rendering, torch.Tensor, torch.Tensor]:
    """The rendering, and the gradients that reach depth and view."""
    face = replace(face, depth=face.depth.clone(), view=face.view.clone())
    face.depth.requires_grad_(), face.view.requires_grad_()
    seen = renderer(face)
    (seen.image * seen.mask).square().mean().backward()
    return seen, face.depth.grad, face.view.grad


@pytest.mark.parametrize("size", [16, 64, 256])
@pytest.mark.parametrize("name", RENDERER_NAMES)
def test_renderers(name, size):
    if name in NEEDS and (REHEARSED or find_spec(NEEDS[name]) is None):
        pytest.skip(f"{NEEDS[name]} is not here, or there is no GPU for it")
    if name == "NvdiffrastRenderer":
        import projects.nvdiffrast.renderer  # noqa: F401
    face = bumpy(size)
    (expected, *slopes), (got, *found) = (
        drawn(GridRenderer(), face),
        drawn(RENDERERS.build(dict(type=name)), there(face)),
    )
    agree = got.mask.cpu() == expected.mask
    assert agree.float().mean() > 0.999
    assert ((got.depth.cpu() - expected.depth).abs()[agree] < 1e-5).float().mean() > 0.999
    images = (seen.image.cpu() * agree for seen in (got, expected))
    assert error(*images) < 1e-3
    assert all(error(ours, theirs) < 1e-2 for ours, theirs in zip(found, slopes))


@pytest.mark.parametrize("rasterize", [rasterize_torch, rasterize_triton], ids=lambda r: r.__name__)
def test_rasterizers(rasterize):
    """To the triangle, but for ties that rounding decides; and the same each time."""
    if REHEARSED and rasterize is rasterize_triton:
        pytest.skip("Triton needs a GPU")
    for size, batch in ((17, 300), (64, 64), (256, 4)):
        face = bumpy(size, batch)
        points = project(move(unproject(face.depth), face.view), size).permute(0, 2, 3, 1)
        skip = torch.rand(batch, 2 * (size - 1) ** 2) < 0.1
        got = rasterize(points.to(DEVICE), size, skip.to(DEVICE))
        assert (got.cpu() != rasterize_grid(points, size, skip)).float().mean() < 1e-4
        assert torch.equal(got, rasterize(points.to(DEVICE), size, skip.to(DEVICE)))


def test_the_default_is_triton():
    expected = rasterize_grid if REHEARSED else rasterize_triton
    assert rasterizer_for(DEVICE) is expected


@pytest.mark.parametrize("name", [n for n in ours(LOSSES) if n not in ELSEWHERE])
def test_losses(name):
    (value, slope), (got, found) = (valued(name, place) for place in (same, there))
    assert got.device.type == DEVICE.type
    assert abs(got.item() - value.item()) < 1e-3 * max(1, abs(value.item()))
    assert error(found, slope) < 2e-2


def same(record: Face) -> Face:
    return record


def valued(name: str, place: Callable[[Face], Face]) -> tuple[torch.Tensor, torch.Tensor]:
    """A loss of a scene at a place, and the gradient that reaches the view."""
    torch.manual_seed(0)
    loss = LOSSES.build(dict(type=name, **LOSSES_WITH.get(name, {})))
    face, render = place(bumpy(SIZE, 4)), GridRenderer()
    face = replace(face, view=face.view.clone().requires_grad_())
    seen = render(face)

    def reconstruct(photo: torch.Tensor) -> Face:
        return place(example_face(SIZE, len(photo)))

    torch.manual_seed(1)
    scene = Scene(face.albedo, face, seen, seen, render, reconstruct)
    value = loss.to(face.depth.device)(scene)
    if value.requires_grad:
        value.backward()
    none = torch.zeros(1, device=value.device)
    return value.detach(), none if face.view.grad is None else face.view.grad


def test_stylegan2():
    torch.manual_seed(0)
    generator = StyleGAN2(size=32, width=1 / 32, latent=32, mapping=4, frozen=False)
    judge = StyleGAN2Discriminator(size=32, width=1 / 32)
    codes, found = torch.randn(4, 32), []
    for device in ("cpu", DEVICE):
        generator.to(device), judge.to(device)
        generator.zero_grad()
        leaf = codes.to(device).requires_grad_()
        image, _ = generator(leaf, noise="none", clamp=False)
        score = judge(image)
        penalty = input_gradient(score, image).square().sum()
        (score.sum() + penalty).backward()
        weight = next(w for w in generator.parameters() if w.grad is not None)
        found.append(
            (image.detach(), score.detach(), penalty.detach(), leaf.grad, weight.grad.clone())
        )
    for got, expected in zip(found[1], found[0]):
        assert error(got, expected) < 2e-3


@pytest.mark.parametrize("build", [unsup3d, l2r], ids=lambda build: build.__name__)
def test_training_steps_with_one_and_two_optimizers(build):
    """Losses of four steps; the first are of equal weights."""
    found = []
    for device in ("cpu", DEVICE):
        torch.manual_seed(0)
        model, wrapper = build()
        model.to(device).train()
        photos, reports = torch.Generator().manual_seed(1), []
        for _ in range(4):
            photo = torch.rand(4, 3, SIZE, SIZE, generator=photos)
            torch.manual_seed(2)
            reports.append(
                model.train_step(dict(photo=photo, person=torch.arange(4) // 2), wrapper)
            )
        found.append(torch.tensor([[float(v) for v in report.values()] for report in reports]))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(found[1], found[0], rtol=5e-2, atol=2e-2)


def test_a_prior_trains():
    """Its draws are the device's own, so values are not those of a CPU."""
    torch.manual_seed(0)
    model, wrapper = prior()
    before = [weight.clone() for weight in model.generator.parameters()]
    model.to(DEVICE).train()
    for _ in range(2):
        report = model.train_step(dict(photo=torch.rand(4, 3, SIZE, SIZE)), wrapper)
        assert all(value.isfinite() for value in report.values())
    assert any(
        not torch.equal(was, now.cpu()) for was, now in zip(before, model.generator.parameters())
    )
