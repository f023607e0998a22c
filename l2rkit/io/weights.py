"""Reads and writes weights, without running code from files.

`.safetensors` files hold no code. For `.pth` files, torch's weights-only loader admits only the
types that `l2rkit.io.pickles` lists.
"""

import pickle
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..errors import ConfigError, WeightsError, near
from .files import write_atomic
from .pickles import check_size, first_line, load_plain, refused
from .quantization import dequantize, halved, quantize
from .tensors import check_tensors


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a `.safetensors` file or an MMEngine or plain torch checkpoint.

    Raises:
        WeightsError: the file is missing, damaged, or holds objects other than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}")
    if path.suffix == ".safetensors":
        try:
            state = safetensors.torch.load_file(path)
        except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
            reason = first_line(error)
            raise WeightsError(f"{path} is not a complete safetensors file ({reason})") from None
        check_tensors(state, path, path.stat().st_size)
        return without_wrapper(dequantize(state, path))
    check_size(path)
    try:
        content = load_plain(path)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} was refused: {refused(str(error))}") from None
    except Exception as error:  # a damaged pickle may raise anything
        reason = first_line(error)
        raise WeightsError(f"{path} is not a complete torch checkpoint ({reason})") from None
    content = content.get("state_dict", content) if isinstance(content, dict) else None
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no state dict, which maps names to tensors")
    check_tensors(content, path, path.stat().st_size)
    # cloned, as a memory-mapped file may change
    return without_wrapper({str(name): value.clone() for name, value in content.items()})


def without_wrapper(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights without a wrapper's prefix, if all names have it.

    DataParallel and similar wrappers add `module.`, `torch.compile` adds `_orig_mod.`.
    """
    for prefix in ("module.", "_orig_mod."):
        if state and all(name.startswith(prefix) for name in state):
            return without_wrapper({k.removeprefix(prefix): v for k, v in state.items()})
    return state


def write_weights(state: dict[str, Tensor], path: str | Path, bits: int = 32) -> None:
    """Writes tensors to a `.safetensors` file, atomically.

    bits: 8 and 16 convert floats, see `quantize`; any other value keeps their precision.
    """
    path = Path(path)
    state = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    if bits == 8:
        state = quantize(state)
    elif bits == 16:
        state = {k: halved(v) if v.is_floating_point() else v for k, v in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, safetensors.torch.save(state))


# Parts of a model that are not in its weight files: losses and adversary are for training only,
# and restorers load their own weights, so that any restorer fits a trained model.
APART = ("losses.", "adversary.", "restore.")


def model_weights(path: str | Path, part: str = "") -> dict[str, Tensor]:
    """The weights of a file for a model, without those of losses, adversary and restorer.

    With `part`, only those of this part, from a file of the whole model or of the part.
    """
    state, inside = read_weights(path), f"{part}." if part else ""
    found = {k.removeprefix(inside): v for k, v in state.items() if k.startswith(inside)}
    return {k: v for k, v in (found or state).items() if not k.startswith(APART)}


def weights_digest(about: str, part: object) -> bytes:
    """(32,) bytes: SHA-256 of the description `about` and of the part's weights, if it has any."""
    known = sha256(about.encode())
    for name, weight in sorted(part.state_dict().items()) if isinstance(part, nn.Module) else ():
        known.update(name.encode() + weight.cpu().numpy().tobytes())
    return known.digest()


def exported(model: nn.Module) -> nn.Module:
    """The part of a model that its weight files hold: its `export_part`, or all of it.

    Training may need more parts than inference. An `export_part` of None exports no weights.
    """
    name = getattr(model, "export_part", "")
    return nn.Module() if name is None else model.get_submodule(name)


def own_state(model: nn.Module) -> dict[str, Tensor]:
    """The model's state for its weight files: that of `exported` without the parts `apart`."""
    part = exported(model)
    return without_apart(part, part.state_dict())


def without_apart(part: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """`state` without the weights that are not in the files of `part`."""
    left_out = apart(part)
    return {name: value for name, value in state.items() if not name.startswith(left_out)}


def apart(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the weights that are not in a model's files.

    These are `APART` and the parts with `external_weights`, such as a frozen prior.
    """
    parts = [
        f"{name}."
        for name, part in model.named_modules()
        if getattr(part, "external_weights", False)
    ]
    return (*APART, *parts)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Loads a weight file, or the checkpoint of a run, into a model.

    Raises:
        WeightsError: the file is missing, damaged or of another architecture.
    """
    state = model_weights(path, getattr(model, "export_part", None) or "")
    load_into(model, without_apart(exported(model), state), str(path))


def load_into(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Loads `state` into `model`; all names and shapes must match.

    Raises:
        WeightsError: a weight is missing, unexpected or of another shape; `name` is the source.
    """
    expected = own_state(model)
    check_fit(state, expected, name)
    fitting = {key: value.to(expected[key].dtype) for key, value in state.items()}
    exported(model).load_state_dict(fitting, strict=False)  # `check_fit` was strict


def check_fit(
    state: dict[str, Tensor],
    expected: dict[str, Tensor],
    name: str,
    optional: Container[str] = (),
    hint: str = "",
) -> None:
    """Checks that the names and shapes of weights are those of `expected`.

    Raises:
        WeightsError: a weight is missing and not `optional`, unexpected, or of another shape.
            `name` is the file in the message, `hint` is appended to it.
    """
    missing = [key for key in expected if key not in state and key not in optional]
    surplus = [key for key in state if key not in expected]
    if missing or surplus:
        first = f"lacks '{missing[0]}'" if missing else f"has '{surplus[0]}'"
        counts = f"{len(missing)} missing, {len(surplus)} left over, of {len(expected)}"
        raise WeightsError(f"{name} is of another architecture: it {first} ({counts}){hint}")
    for key, value in state.items():
        if expected[key].shape != value.shape:
            got, shape = tuple(value.shape), tuple(expected[key].shape)
            raise WeightsError(
                f"{name} is of another architecture: '{key}' is {got}, not {shape}{hint}"
            )


def starting_state(
    model: nn.Module, path: str | Path, only: Sequence[str] = ()
) -> tuple[dict[str, Tensor], str]:
    """The state of a model initialized from a weight file, and a line on the differences.

    The file must have exactly the weights that the model's own files have. Those of adversary and
    losses are also loaded if the file is the checkpoint of a run that had them. The line lists
    weights that keep their initialization and weights that are not loaded; "" if there are none.

    Args:
        only: dotted names of the model's parts to load; others keep their initialization.

    Raises:
        WeightsError: the file is missing, damaged or does not match.
        ConfigError: the model has no such part.
    """
    state, full, outside = read_weights(path), model.state_dict(), apart(model)
    for part in only:
        if not any(key.startswith(f"{part}.") for key in full):
            known = [name for name, _ in model.named_modules() if name]
            raise ConfigError(f"load_only: the model has no part '{part}'{near(part, known)}")
    begins = tuple(f"{part}." for part in only) or ("",)
    expected = {key: value for key, value in full.items() if key.startswith(begins)}
    given = {
        key: value
        for key, value in state.items()
        if key.startswith(begins) and (key in full or not key.startswith(outside))
    }
    hint = "" if only else "; load_only names the parts that it is for"
    check_fit(given, expected, str(path), {k for k in expected if k.startswith(outside)}, hint)
    anew = [key for key in full if key not in given and not key.startswith(outside)]
    passed = [key for key in state if key not in given]
    full.update((key, value.to(full[key].dtype)) for key, value in given.items())
    said = [f"{path} gives {in_parts(given)}"]
    said += [f"newly initialized: {in_parts(anew)}"] if anew else []
    said += [f"not loaded: {in_parts(passed)}"] if passed else []
    return full, "; ".join(said) if anew or passed else ""


def in_parts(names: Iterable[str]) -> str:
    """The number of weights per part: `decompose (112), refine (34)`."""
    parts = Counter(name.split(".")[0] for name in names)
    return ", ".join(f"{part} ({count})" for part, count in parts.items())
