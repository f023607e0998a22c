"""Weights from files and into models, without running what a file says.

`.safetensors` files hold no program; for `.pth` files torch's weights-only loader admits what
`l2rkit.io.pickles` lists.
"""

import pickle
from hashlib import sha256
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..errors import WeightsError
from .files import write_whole
from .pickles import check_size, first_line, load_plain, refused
from .quantization import rounded, unrounded
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
            raise WeightsError(f"{path} is not a whole safetensors file ({reason})") from None
        check_tensors(state, path, path.stat().st_size)
        return unrounded(state, path)
    check_size(path)
    try:
        content = load_plain(path)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} was refused: {refused(str(error))}") from None
    except Exception as error:  # a damaged pickle may fail in any way at all
        reason = first_line(error)
        raise WeightsError(f"{path} is not a whole torch checkpoint ({reason})") from None
    content = content.get("state_dict", content) if isinstance(content, dict) else None
    if not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path} holds no state dict: names with tensors")
    check_tensors(content, path, path.stat().st_size)
    return {
        str(name): value.clone() for name, value in content.items()
    }  # what is mapped may change


def write_weights(state: dict[str, Tensor], path: str | Path, bits: int = 32) -> None:
    """Writes tensors to a `.safetensors` file, whole or not at all, floats in 8, 16 or 32 bits."""
    path = Path(path)
    state = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    if bits == 8:
        state = rounded(state)
    elif bits == 16:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, safetensors.torch.save(state))


# Parts of a model that are not in its weight files: losses and adversary are for training alone,
# and restorers bring their weights with them, so that any can stand before a trained model.
APART = ("losses.", "adversary.", "restore.")


def model_weights(path: str | Path, part: str = "") -> dict[str, Tensor]:
    """The weights in a file that a model is given: those of its losses and restorer are not.

    With `part`, those of this part alone, in a checkpoint of the whole or in a file of its own.
    """
    state, inside = read_weights(path), f"{part}." if part else ""
    found = {k.removeprefix(inside): v for k, v in state.items() if k.startswith(inside)}
    return {k: v for k, v in (found or state).items() if not k.startswith(APART)}


def weights_digest(about: str, part: object) -> bytes:
    """What tells a part, described by `about`, from others: its weights count, if it has any."""
    known = sha256(about.encode())
    for name, weight in sorted(part.state_dict().items()) if isinstance(part, nn.Module) else ():
        known.update(name.encode() + weight.cpu().numpy().tobytes())
    return known.digest()


def product(model: nn.Module) -> nn.Module:
    """What its weight files hold: the part that a model names as its `product`, or all of it.

    Training may need more than what it is for. None names no part: all weights were brought.
    """
    name = getattr(model, "product", "")
    return nn.Module() if name is None else model.get_submodule(name)


def own_state(model: nn.Module) -> dict[str, Tensor]:
    """What of a model's state is in its weight files."""
    part = product(model)
    return {k: v for k, v in part.state_dict().items() if not k.startswith(apart(part))}


def apart(model: nn.Module) -> tuple[str, ...]:
    """How the names of weights begin that are not in a model's files.

    Beside `APART` these are parts that say, as a frozen prior does, that theirs were `brought`.
    """
    parts = [f"{name}." for name, part in model.named_modules() if getattr(part, "brought", False)]
    return (*APART, *parts)


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Puts a weight file, or the checkpoint of a run, into a model.

    Raises:
        WeightsError: there is no such file, or it is of another architecture.
    """
    state = model_weights(path, getattr(model, "product", None) or "")
    own = {k: v for k, v in state.items() if not k.startswith(apart(product(model)))}
    load_into(model, own, str(path))


def load_into(model: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Puts `state` into `model`, every name and shape of which must fit.

    Raises:
        WeightsError: something is missing, left over or of another shape; `name` says what.
    """
    wanted = own_state(model)
    missing = [key for key in wanted if key not in state]
    surplus = [key for key in state if key not in wanted]
    if missing or surplus:
        first = f"lacks '{missing[0]}'" if missing else f"has '{surplus[0]}'"
        counts = f"{len(missing)} missing, {len(surplus)} left over, of {len(wanted)}"
        raise WeightsError(f"{name} is of another architecture: it {first} ({counts})")
    for key, value in wanted.items():
        if state[key].shape != value.shape:
            got, want = tuple(state[key].shape), tuple(value.shape)
            raise WeightsError(f"{name} is of another architecture: '{key}' is {got}, not {want}")
    fitting = {key: value.to(wanted[key].dtype) for key, value in state.items()}
    product(model).load_state_dict(fitting, strict=False)  # all that is not apart was found above
