"""The optional attributes of parts that other code reads, and a check of their types."""

from collections.abc import Callable

from torch import Tensor

# Name: types and meaning.
STATED: dict[str, tuple[tuple[type, ...], str]] = {
    "image_size": ((int,), "px of photos: that a decomposer or refiner takes, a restorer gives"),
    "scale": ((int,), "a restorer: how many times larger the photo becomes"),
    "aligned": ((bool,), "a restorer: it expects one aligned face, not any photo"),
    "needs_whole_photo": (
        (bool,),
        "a restorer: it has to see the photo whole, and is given no tiles",
    ),
    "change_features": (
        (Callable,),
        "a restorer: features of what it changed, for a `LandmarkCorrection`",
    ),
    "view_limits": ((Tensor,), "a decomposer: the largest views (6,) it gives, for the watch-dog"),
    "predict_view": ((Callable,), "a decomposer: photos (B, 3, S, S) to their views (B, 6) alone"),
    "shares": ((Callable,), "a decomposer: how much each photo of a person counts (B,)"),
    "fidelity": ((float, int), "a refiner: 0..1, how far the photo's own pixels count"),
    "needs_mirrored": ((bool,), "a loss: the scene has to have `mirrored`"),
    "needs_rendering": ((bool,), "a loss, an adversary: the scene has to have `rendering`"),
    "external_weights": ((bool,), "any part: its weights come from a file of their own"),
    "supervision": ((tuple, frozenset), 'any part: of "keypoint" and "3D", what it learnt from'),
    "on_image": ((Callable,), "a degradation: the same on one image (H, W, 3), by OpenCV"),
    "condition": ((int,), "a discriminator: how many numbers condition it, 6 for a view"),
    "size": ((int,), "a prior: px of its images"),
    "latent": ((int,), "a prior: length of its codes"),
}


def check_stated(part: object, *names: str) -> None:
    """Checks that the named attributes, if the part has them, have the types of `STATED`."""
    for name in (*names, "external_weights", "supervision"):
        value, (kinds, what) = getattr(part, name, None), STATED[name]
        expected = " or ".join(kind.__name__ for kind in kinds)
        good = value is None or isinstance(value, kinds)
        good = good and (bool in kinds or not isinstance(value, bool))
        assert good, f"`{name}` is a {type(value).__name__}, not {expected} ({what})"
