"""What the commands share: overrides, and mistakes told in one line."""

import ast
import functools
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from pickle import UnpicklingError
from typing import Any

import click

from ..errors import PartError, UserError


class Door(click.ClickException):
    """A command could not begin."""

    exit_code = 2


class Override(click.ParamType):
    """`key=value`, the value read as Python where it can be."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, sign, text = value.partition("=")
        if not sign or not key:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        try:
            return key, ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return key, text  # a word, unhashable, or nested too deeply


def overrides(name: str, what: str) -> Callable:
    """An option of KEY=VALUE pairs that arrive as one dict."""
    return click.option(
        name,
        type=Override(),
        multiple=True,
        callback=lambda ctx, param, pairs: dict(pairs),
        help=f"{what} May be repeated.",
    )


OVERRIDES = overrides(
    "--cfg-options", "Changes a value of the config, as in model.decompose.width=32."
)
RESTORER_OPTIONS = overrides(
    "--restorer-options", "An argument of the restorer, as in weights=GFPGANv1.4.pth."
)


def user_errors(command: Callable) -> Callable:
    """Prints a `UserError` as one line and ends with status 2."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except UserError as error:
            raise Door(str(error)) from None

    return guarded


def part_of_words(socket: Any, described: dict[str, Any]) -> Any:
    """A part with arguments that somebody has typed.

    Raises:
        PartError: it does not take them, however it says so.
    """
    try:
        return socket.build(described)
    except UserError:
        raise
    except Exception as error:  # a part may fail in any way at all on a value of another kind
        given = ", ".join(f"{key}={value!r}" for key, value in described.items() if key != "type")
        reason = f"{type(error).__name__}: {error}"
        raise PartError(f"{described['type']} cannot be made with {given}: {reason}") from error


def complain(error: UserError) -> None:
    """One line for a photo that failed, while the others go on."""
    click.echo(f"failed: {error}", err=True)


def load_for_runner(
    path: str, overrides: dict[str, Any], launcher: str, protocol: str | None = None
) -> Any:
    """The config, ready for MMEngine's Runner."""
    import_mmengine()
    from ..config import load_config

    config = load_config(path, overrides, protocol)
    config.launcher = launcher
    return config


def import_mmengine(waits_s: Sequence[float] = (0.5, 1.0, 2.0)) -> None:
    """Imports MMEngine, needless warnings silenced: before any of our modules that need it.

    Other processes may be doing so for the first time on a machine. Its formatter, yapf, then
    writes a cache, of which the others may read the half: they wait.

    Raises:
        UserError: the cache stays cut off; whoever wrote it was killed.
    """
    quiet()
    for wait in (0.0, *waits_s):
        time.sleep(wait)
        try:
            import mmengine.config  # noqa: F401

            return
        except (EOFError, UnpicklingError):
            continue
    raise UserError("yapf, which MMEngine needs, finds half of its cache: remove ~/.cache/YAPF")


def quiet() -> None:
    """Silences what MMEngine and torch say on every start and nobody can act on."""
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")
    logging.getLogger("mmengine").setLevel(logging.ERROR)
