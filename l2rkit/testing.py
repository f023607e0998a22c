"""Checks of the registries' contracts, which plugins can run on their own parts.

Each raises an AssertionError with a sentence that says what is wrong.

A part that was or is trained on more than images has the class attribute `supervision`, a tuple of
"keypoint" and "3D". `l2rkit.leaderboard.supervision` derives a method's supervision from it.
`l2rkit.stated` lists all attributes that other code reads from parts.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from .degrade.degradation import Degradation
from .geometry import view_of
from .stated import check_stated
from .structures import (
    BACKGROUND,
    FAR,
    NEAR,
    Confidence,
    Face,
    Light,
    Rendering,
    Scene,
    each_tensor,
)

ALIKE = 2 / 255  # mean difference of a degradation by torch and by OpenCV


def example_face(size: int = 32, batch: int = 2) -> Face:
    """A smooth, asymmetric face, a little turned and lit from one side; deterministic."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    depth = 1.02 - 0.05 * torch.exp(-3 * ((x - 0.1) ** 2 + y**2))
    coarse = torch.rand(batch, 3, 4, 4, generator=generator)
    albedo = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
    direction = torch.tensor([[0.36, 0.48, -0.8]]).expand(batch, 3)
    light = Light(torch.full((batch,), 0.5), torch.full((batch,), 0.5), direction)
    confidence = Confidence(
        torch.full((batch, 2, size, size), 0.5),
        torch.full((batch, 2, size // 4, size // 4), 0.5),
    )
    view = view_of(yaw_deg=15, pitch_deg=10).expand(batch, 6)
    return Face(depth.expand(batch, 1, size, size), albedo, light, view, None, confidence)


def check_renderer(renderer: Callable[[Face], Rendering], size: int = 32) -> None:
    """Checks that an unmoved, ambient-lit face is reproduced and gradients reach all inputs."""
    face = example_face(size)
    ambient = Light(face.light.ambient * 0 + 1, face.light.diffuse * 0, face.light.direction)
    still = renderer(face.with_view(torch.zeros(6)).with_light(ambient))
    kind = type(still).__name__
    assert isinstance(still, Rendering), f"a renderer gives a Rendering, not a {kind}"
    _float32(still, "image", "mask", "depth")
    assert still.mask.min() == 1, "an unmoved face does not cover the whole picture"
    _near(still.depth, face.depth, 1e-5, "the depth of an unmoved face is not its canonical depth")
    _near(still.image, face.albedo, 5e-3, "an unmoved, ambient-lit face does not show its albedo")
    learnt, leaves = _learnt(face)
    seen = renderer(learnt)
    assert set(seen.mask.unique().tolist()) <= {0.0, 1.0}, "the mask has values besides 0 and 1"
    outside = seen.depth[seen.mask == 0]
    assert (outside == BACKGROUND).all(), f"depth outside the mask is not {BACKGROUND}"
    (seen.image * seen.mask).square().sum().backward()
    for name, leaf in leaves.items():
        _check_gradient(leaf.grad, name, "the picture")


def _learnt(face: Face) -> tuple[Face, dict[str, Tensor]]:
    """The face with gradients of all that is predicted, and these tensors by name."""
    known = {name: getattr(face, name) for name in ("depth", "albedo", "view")}
    known |= {name: getattr(face.light, name) for name in ("ambient", "diffuse", "direction")}
    leaves = {name: value.clone().requires_grad_() for name, value in known.items()}
    depth, albedo, view, *light = leaves.values()
    return replace(face, depth=depth, albedo=albedo, view=view, light=Light(*light)), leaves


def check_restorer(restorer: torch.nn.Module, size: int = 32) -> None:
    """Checks range, order of the batch and size of the output.

    The size is `scale` times the photo's, or `image_size` if the part has it.
    """
    photo = example_face(size).albedo
    photo = torch.stack([photo[0], photo[1].flip(-1), photo[0]])
    check_stated(restorer, "image_size", "scale", "aligned", "needs_whole_photo", "change_features")
    restorer.eval()
    given = photo.clone()
    with torch.no_grad():
        got, alone = restorer(given), restorer(photo[1:2].clone())
    assert torch.equal(given, photo), "the photo was changed in place"
    assert isinstance(got, Tensor), f"a restorer gives a tensor, not a {type(got).__name__}"
    assert got.dtype == photo.dtype, f"the restored photo is {got.dtype}, not {photo.dtype}"
    fixed, scale = getattr(restorer, "image_size", None), getattr(restorer, "scale", None)
    assert fixed or scale, "a restorer states its enlargement `scale`, or its `image_size`"
    whole = fixed or not getattr(restorer, "aligned", False)
    assert whole, "a restorer of one aligned face states its `image_size`"
    side = fixed or size * scale
    shape, expected = tuple(got.shape), (3, 3, side, side)
    assert shape == expected, f"three photos of {size} px became {shape}, not {expected}"
    assert got.isfinite().all(), "the restored photo has values that are not finite"
    _within(got, 0, 1, "the restored photo")
    _near(got[2], got[0], 1e-4, "equal photos of a batch are restored differently")
    _near(got[1:2], alone, 1e-3, "a photo is restored otherwise in a batch than alone")


def check_prior(prior: torch.nn.Module) -> None:
    """Checks that images are in [0, 1] and of the stated size, and gradients reach latents only.

    The part states the length of its codes as `latent`, and the size of its images in px as
    `size`. Equal latents must give equal images, whatever else is in the batch.
    """
    size, length = getattr(prior, "size", None), getattr(prior, "latent", None)
    assert size and length, "a prior states the `size` of its images and the `latent` length"
    check_stated(prior, "size", "latent")
    assert not any(w.requires_grad for w in prior.parameters()), "a prior's weights are not frozen"
    prior.eval()
    codes = torch.randn(2, length, generator=torch.Generator().manual_seed(0))
    codes = codes[[0, 1, 0]].requires_grad_()
    given = prior(codes)
    pair = isinstance(given, tuple) and len(given) == 2
    assert pair and isinstance(given[0], Tensor) and isinstance(given[1], dict), (
        f"a prior gives an image and features by their size, not a {type(given).__name__}"
    )
    image, features = given
    assert image.dtype == torch.float32, f"the prior's image is {image.dtype}, not torch.float32"
    shape, expected = tuple(image.shape), (3, 3, size, size)
    assert shape == expected, f"three latents became {shape}, not {expected}"
    assert image.isfinite().all(), "the prior's image has values that are not finite"
    _within(image, 0, 1, "the prior's image")
    for side, x in features.items():
        shape = tuple(x.shape)
        fits = len(shape) == 4 and (shape[0], *shape[2:]) == (3, side, side)
        assert fits, f"features at {side} px are {shape}, not (3, C, {side}, {side})"
    _near(image[2], image[0], 1e-4, "equal latents of a batch give different images")
    assert (image[1] - image[0]).abs().max() > 1e-3, "different latents give the same image"
    with torch.no_grad():
        alone, _ = prior(codes[1:2])
    _near(image[1:2], alone, 1e-3, "a latent gives another image in a batch than alone")
    image.square().sum().backward()
    _check_gradient(codes.grad, "the latents", "the image")


def check_decomposer(decomposer: torch.nn.Module, size: int) -> None:
    """Checks that the face has the photo's size and follows the conventions, with gradients.

    A part without weights need not pass gradients.
    """
    generator = torch.Generator().manual_seed(0)
    photo = torch.rand(2, 3, size, size, generator=generator)
    check_stated(decomposer, "image_size", "view_limits", "predict_view", "shares")
    decomposer.train()
    face = decomposer(given := photo.clone(), person=torch.tensor([0, 1]))
    assert torch.equal(given, photo), "the photo was changed in place"
    assert isinstance(face, Face), f"a decomposer gives a Face, not {type(face).__name__}"
    _float32(face, "depth", "albedo", "view")
    assert len(face) == 2, f"two photos became {len(face)} faces"
    assert face.size == size, f"a photo of {size} pixels became maps of {face.size}"
    _within(face.depth, NEAR, FAR, "depth")
    _within(face.albedo, 0, 1, "albedo")
    _check_light(face.light)
    _check_region(face)
    assert (face.light.direction[:, 2] < 0).all(), "the light comes from behind the face"
    total = face.depth.square().mean() + face.albedo.mean()
    total = total + face.light.packed().square().sum() + face.view.square().sum()
    if list(decomposer.parameters()):
        total.backward()
        weights = [weight for weight in decomposer.parameters() if weight.grad is not None]
        assert weights, "no gradient reaches any weight"
        assert all(w.grad.isfinite().all() for w in weights), "a weight's gradient is not finite"
    decomposer.eval()
    with torch.no_grad():
        one, again, alone = decomposer(photo), decomposer(photo), decomposer(photo[1:2])
        view = decomposer.predict_view(photo) if hasattr(decomposer, "predict_view") else one.view
    for name, value in _predicted(one).items():
        same = torch.equal(value, _predicted(again)[name])
        assert same, f"in evaluation mode, equal photos differ in {name}"
        sentence = f"{name} is predicted otherwise in a batch than alone"
        _near(value[1:2], _predicted(alone)[name], 1e-3, sentence)
    _near(view, one.view, 1e-5, "the view alone is not that of the face")


def _predicted(face: Face) -> dict[str, Tensor]:
    return dict(depth=face.depth, albedo=face.albedo, light=face.light.packed(), view=face.view)


def _copied(face: Face) -> Face:
    return each_tensor(face, lambda tensor: tensor.detach().clone())


def _equal(face: Face, other: Face) -> bool:
    same = _predicted(other)
    return all(torch.equal(value, same[name]) for name, value in _predicted(face).items())


def _check_region(face: Face) -> None:
    inside = face.region is None or ((face.region == 0) | (face.region == 1)).all()
    assert inside, "the face's region has values other than 0 and 1"


def _check_light(light: Light) -> None:
    _float32(light, "ambient", "diffuse", "direction")
    assert light.packed().isfinite().all(), "the light has values that are not finite"
    lengths = light.direction.norm(dim=1)
    _near(lengths, torch.ones_like(lengths), 1e-4, "the light's direction is not a unit vector")


def check_refiner(
    refiner: torch.nn.Module, size: int = 32, changes: Sequence[str] = ("depth", "albedo")
) -> None:
    """Checks that faces follow the conventions and that gradients reach weights, if any.

    For faces of the output size, only `changes` (of depth, albedo, light and view) and the
    displacement may differ; depth includes the displacement. Faces of a batch must not influence
    one another.
    """
    known = {"depth", "albedo", "light", "view"}
    named = not isinstance(changes, str) and set(changes) <= known
    assert named, f"`changes` are some of {sorted(known)}, not {changes!r}"
    face, photo = example_face(size, 3), example_face(size, 3).albedo
    face = replace(face, region=torch.ones_like(face.depth))  # as a `FaceMeshDecomposer` gives it
    photo = torch.stack([photo[0], photo[1].flip(-1), photo[0]])
    check_stated(refiner, "image_size", "fidelity")
    refiner.eval()
    given, before = photo.clone(), _copied(face)
    better = refiner(face, given)
    whole = _equal(face, before) and torch.equal(given, photo)
    assert whole, "the face or the photo was changed in place"
    assert isinstance(better, Face), f"a refiner gives a Face, not {type(better).__name__}"
    _float32(better, "depth", "albedo", "view")
    assert len(better) == 3, f"three faces became {len(better)}"
    _within(better.depth, NEAR, FAR, "depth")
    _within(better.albedo, 0, 1, "albedo")
    _check_light(better.light)
    assert better.region is not None, "the face's region was lost"
    _check_region(better)
    added = better.displacement
    assert added is None or added.isfinite().all(), "the displacement is not finite"
    refined, before = _predicted(better), _predicted(before)
    for name in before.keys() - set(changes) if better.size == size else ():
        kept = torch.equal(refined[name], before[name])
        assert kept, f"{name} was changed, which is not in {tuple(changes)}"
    with torch.no_grad():
        alone = refiner(each_tensor(face, lambda tensor: tensor[1:2]), photo[1:2])
    for name, expected in _predicted(alone).items():
        got = refined[name][1:2]
        _near(got, expected, 1e-4, f"{name} is refined otherwise in a batch than alone")
    if added is not None:
        assert alone.displacement is not None, "a face has a displacement in a batch only"
        sentence = "displacement is refined otherwise in a batch than alone"
        _near(added[1:2], alone.displacement, 1e-4, sentence)
    if not list(refiner.parameters()):
        return
    total = sum(value.square().mean() for value in refined.values())
    assert total.requires_grad, "no gradient reaches any weight"
    total.backward()
    grads = [weight.grad for weight in refiner.parameters() if weight.grad is not None]
    assert any(grad.abs().sum() > 0 for grad in grads), "no gradient reaches any weight"
    assert all(grad.isfinite().all() for grad in grads), "a weight's gradient is not finite"


def check_loss(loss: Callable[[Scene], Tensor], size: int = 32) -> None:
    """Checks that value and gradients are finite on any scene, even an empty or a flat one.

    The scene's `render` and `reconstruct` take batches of any size and return constants. Its
    `mirrored` is None unless the loss states `needs_mirrored`; it has no labels.
    """
    kind = type(loss).__name__
    assert isinstance(loss, torch.nn.Module), f"a loss is a torch.nn.Module, not a {kind}"
    check_stated(loss, "needs_mirrored", "needs_rendering")
    asked = getattr(loss, "needs_mirrored", False)
    face = example_face(size)
    photo = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    ones = torch.ones(2, 1, size, size)
    flat = replace(face, depth=ones, albedo=torch.full_like(face.albedo, 0.5))
    for name, own, image, mask in (
        ("perfect", face, photo, ones),
        ("wrong", face, 1 - photo, ones),
        ("over-exposed", face, photo * 5, ones),
        ("empty", face, photo, ones * 0),
        ("flat", flat, flat.albedo, ones),
    ):
        learnt, leaves = _learnt(own)
        leaves["image"] = image = image.clone().requires_grad_()
        seen = Rendering(image, mask, torch.where(mask > 0, own.depth, BACKGROUND))
        mirrored = seen if asked else None
        target, before = photo.clone(), _copied(learnt)
        value = loss(Scene(target, learnt, seen, mirrored, _constant(seen), _constant(learnt)))
        whole = _equal(learnt, before) and torch.equal(target, photo)
        assert whole, "the scene was changed in place"
        assert isinstance(value, Tensor), f"a loss is a tensor, not a {type(value).__name__}"
        assert value.dtype == torch.float32, f"a loss is torch.float32, not {value.dtype}"
        assert value.dim() == 0, f"a loss is one number, not of shape {tuple(value.shape)}"
        assert value.isfinite(), f"the loss of the {name} scene is {value.item()}"
        if value.requires_grad:
            value.backward()
        for which, leaf in leaves.items():
            finite = leaf.grad is None or leaf.grad.isfinite().all()
            assert finite, f"the gradient of the {name} scene to {which} is not finite"


def _constant(answer: Face | Rendering) -> Callable[[Face | Tensor], Face | Rendering]:
    """A function that returns the first of `answer`, repeated for the batch."""

    def repeated(value: object, count: int) -> object:
        if isinstance(value, Tensor):
            return value[:1].expand(count, *value.shape[1:])
        if value is None:
            return None
        parts = {f.name: repeated(getattr(value, f.name), count) for f in fields(value)}
        return type(value)(**parts)

    return lambda asked: repeated(answer, len(asked))


def _float32(record: object, *names: str) -> None:
    """Checks for float32: other precisions would make all later steps slow or coarse."""
    for name in names:
        kind = getattr(record, name).dtype
        assert kind == torch.float32, f"{name} is {kind}, not torch.float32"


def _near(got: Tensor, expected: Tensor, tolerance: float, sentence: str) -> None:
    error = (got - expected).abs().max().item()
    assert error <= tolerance, f"{sentence}: off by {error:.2g}, {tolerance:g} is allowed"


def _within(value: Tensor, low: float, high: float, name: str) -> None:
    least, most = value.min().item(), value.max().item()
    inside = low - 1e-5 <= least and most <= high + 1e-5
    assert inside, f"{name} lies in {least:.3g}..{most:.3g}, not within {low:g}..{high:g}"


def _check_gradient(grad: Tensor | None, name: str, source: str) -> None:
    assert grad is not None and grad.abs().sum() > 0, f"no gradient goes from {source} to {name}"
    assert grad.isfinite().all(), f"the gradient from {source} to {name} is not finite"


def check_degradation(
    part: Callable[[Tensor, torch.Generator], Tensor], size: int = 32, random: bool = True
) -> None:
    """Checks shape, range and determinism, in torch and, if it has `on_image`, in OpenCV.

    A `Degradation` has to give nearly the same by both for the same draw.

    random: the part draws random parameters, so other generators give other results, and each photo
    of a batch gets its own. If False, all results are the same.
    """
    face = example_face(size).albedo[:1]
    photo = face.expand(8, 3, size, size).clone()
    before = photo.clone()
    first, again, other = (part(photo, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    kind = type(first).__name__
    assert isinstance(first, Tensor), f"a degradation gives a tensor, not a {kind}"
    assert torch.equal(photo, before), "the photo itself was changed"
    _degraded(first, photo, "the degraded photo")
    assert torch.equal(first, again), "equal generators give different results"
    if random:
        assert not torch.equal(first, other), "different generators give the same result"
        alike = all(torch.equal(first[0], one) for one in first[1:])
        assert not alike, "all photos of a batch are degraded alike"
    else:
        assert torch.equal(first, other), "different generators give different results"
    if not hasattr(part, "on_image"):
        return
    image = np.ascontiguousarray(face[0].movedim(0, 2).numpy())
    kept = image.copy()
    draws = [part.on_image(image, np.random.default_rng(s)) for s in (0, 0, *range(1, 8))]
    assert np.array_equal(image, kept), "on_image changed the image itself"
    for draw in draws:
        assert draw.dtype == np.float32, f"on_image gives {draw.dtype}, not float32"
        _degraded(torch.from_numpy(np.ascontiguousarray(draw)), face[0].movedim(0, 2), "on_image")
    assert np.array_equal(*draws[:2]), "on_image: equal generators give different results"
    if all(np.array_equal(draws[0], draw) for draw in draws):
        assert not random, "on_image: different generators give the same result"
    else:
        assert random, "on_image: different generators give different results"
    if isinstance(part, Degradation):
        drawn = part.draw(np.random.default_rng(0), size, size)
        by_torch = part.degrade(face.clone(), [drawn])[0].movedim(0, 2)
        off = np.abs(by_torch.numpy() - part.degrade_image(image.copy(), drawn)).mean()
        assert off < ALIKE, f"`degrade` and `degrade_image` differ by {off:.2g} for the same draw"


def _degraded(got: Tensor, photo: Tensor, name: str) -> None:
    shape, expected = tuple(got.shape), tuple(photo.shape)
    assert shape == expected, f"{name} became {shape}, the photo is {expected}"
    assert got.dtype == photo.dtype, f"{name} became {got.dtype}, the photo is {photo.dtype}"
    assert got.isfinite().all(), f"{name} has values that are not finite"
    _within(got, 0, 1, name)
