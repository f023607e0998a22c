"""The common part of commands: overrides, one-line errors, loading of configs."""

import ast
import errno
import functools
import logging
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pickle import UnpicklingError
from typing import Any

import click

from ..errors import ConfigError, PartError, UserError, printable

HELP = dict(help_option_names=["-h", "--help"])  # settings of commands
IN_SLURM = {"RANK": "SLURM_PROCID", "LOCAL_RANK": "SLURM_LOCALID", "WORLD_SIZE": "SLURM_NTASKS"}
PAIR = re.compile(r"[A-Za-z_][\w.]*=")  # the beginning of KEY=VALUE


class CommandError(click.ClickException):
    """A command cannot run; exit status 2."""

    exit_code = 2


class Override(click.ParamType):
    """`key=value`; the value is read as by `typed_value`."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, sign, text = value.partition("=")
        if not sign or not key:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        read = typed_value(text)
        if isinstance(read, str) and text[:1] == "[" and text[-1:] == "]":
            self.fail(f"{text!r} is no list: quote its words, as in ['a', 'b']", param, ctx)
        return key, read


def typed_value(text: str) -> Any:
    """The value of a word of the command line, a string if nothing else.

    As in MMEngine, `true` and `false` are truth values and strings in lists need no quotation
    marks: `[a,b]`. Dicts are written as in Python or in a config: `dict(type=Adam, lr=0.1)`.
    """
    try:
        return _value(ast.parse(text.strip(), mode="eval").body, text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text  # no literal, unhashable, or nested too deeply


def _value(node: ast.expr, text: str) -> Any:
    match node:
        case ast.List(elts=items):
            return [_value(item, text) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item, text) for item in items)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(k, text): _value(v, text) for k, v in zip(keys, values)}  # type: ignore
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=pairs) if all(
            pair.arg for pair in pairs
        ):
            return {pair.arg: _value(pair.value, text) for pair in pairs}
    try:
        return ast.literal_eval(node)
    except ValueError:
        word = ast.get_source_segment(text, node) or text
        return {"true": True, "false": False}.get(word.lower(), word)


class SeveralPairs(click.Option):
    """An option that takes all following KEY=VALUE words, like MMEngine's."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        taken = [parser._long_opt[name] for name in self.opts]
        for option, process in [(option, option.process) for option in taken]:

            def all_pairs(value: Any, state: Any, process: Callable = process) -> None:
                process(value, state)
                while state.rargs and PAIR.match(state.rargs[0]):
                    process(state.rargs.pop(0), state)

            option.process = all_pairs


def overrides(name: str, what: str) -> Callable:
    """An option of KEY=VALUE pairs, passed as one dict."""
    return click.option(
        name,
        cls=SeveralPairs,
        type=Override(),
        multiple=True,
        callback=lambda ctx, param, pairs: dict(pairs),
        help=f"{what} Takes several.",
    )


OVERRIDES = overrides(
    "--cfg-options", "Changes a value of the config, as in model.decompose.width=32."
)
RESTORER_OPTIONS = overrides(
    "--restorer-options", "An argument of the restorer, as in weights=GFPGANv1.4.pth."
)


FLAGS = ("launcher", "resume")  # keys of MMEngine's Runner that are options of commands


def user_errors(command: Callable) -> Callable:
    """A decorator of commands: prints a `UserError` as one line and exits with status 2."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            for name, value in kwargs.items():  # "" is a variable of the shell that is not set
                if value == "" or (isinstance(value, tuple) and "" in value):
                    raise CommandError(f"'{name}' is empty; expected a word")
            return command(*args, **kwargs)
        except UserError as error:
            raise CommandError(str(error)) from None

    return guarded


def say(text: str, err: bool = False) -> None:
    """Prints a line; control characters, as in names of files, are escaped.

    Raises:
        CommandError: the output's disk is full.
    """
    try:
        click.echo(printable(text), err=err)
    except OSError as error:
        if error.errno == errno.EPIPE:  # click ends the command, as others in a pipeline end
            raise
        discard_output()
        raise CommandError(f"cannot write to the standard output: {error.strerror}") from None


def discard_output() -> None:
    """Redirects standard output to nowhere, so that buffered output raises no error at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def writing() -> Iterator[None]:
    """A context for writing the files of one photo, with one-line errors.

    Raises:
        UserError: a file could not be written.
        CommandError: the disk is full, so other photos would fail, too.
    """
    from ..io.files import is_full

    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename
        if is_full(error):
            raise CommandError(
                "the disk is full" + (f": {printable(path)}" if path else "")
            ) from None
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def part_of_words(registry: Any, described: dict[str, Any]) -> Any:
    """A part, built with arguments from the command line.

    Raises:
        PartError: it cannot be built with them.
    """
    try:
        return registry.build(described)
    except UserError:
        raise
    except Exception as error:  # a part may raise anything for a value of a wrong type
        given = ", ".join(f"{key}={value!r}" for key, value in described.items() if key != "type")
        reason = f"{type(error).__name__}: {error}"
        raise PartError(f"{described['type']} cannot be made with {given}: {reason}") from error


def complain(error: UserError) -> None:
    """Prints a line on standard error for a photo that failed."""
    click.echo(f"failed: {error}", err=True)


def load_for_runner(
    path: str,
    overrides: dict[str, Any],
    launcher: str,
    protocol: str | None = None,
    unread: Sequence[str] = (),
) -> Any:
    """The config for MMEngine's Runner.

    unread: keys that the command does not read; overriding them is an error.

    Raises:
        ConfigError: the config is wrong, or an override would have no effect.
    """
    import_mmengine()
    from ..config import load_config

    for key in overrides:
        for name in unread:
            if f"{key}.".startswith(f"{name}."):
                raise ConfigError(
                    f"{key}={overrides[key]} has no effect here: '{name}' is not read"
                )
        if key in FLAGS:
            raise ConfigError(f"{key}={overrides[key]} has no effect: say --{key}")

    config = load_config(path, overrides, protocol)
    config.launcher = launcher
    if launcher != "none":  # MMEngine's own wrapper needs a GPU
        config.setdefault("model_wrapper_cfg", dict(type="l2rkit.engine.ReplicatedModel"))
    return config


def join_on_cpu(launcher: str) -> None:
    """Joins torchrun's or Slurm's processes with gloo without a GPU, which MMEngine needs."""
    if launcher not in ("pytorch", "slurm"):
        return
    import torch

    if torch.cuda.is_available():
        return
    if launcher == "slurm":
        for name, of_slurm in IN_SLURM.items():
            os.environ[name] = os.environ[of_slurm]
        os.environ.setdefault("MASTER_PORT", "29500")
        if "MASTER_ADDR" not in os.environ:
            listed = ["scontrol", "show", "hostname", os.environ["SLURM_NODELIST"]]
            try:
                hosts = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
            except (OSError, subprocess.CalledProcessError) as error:
                needed = "scontrol, or MASTER_ADDR"
                raise CommandError(f"--launcher slurm needs {needed}: {error}") from None
            os.environ["MASTER_ADDR"] = hosts.split()[0]
    torch.distributed.init_process_group("gloo")


def leave() -> None:
    """Destroys the process group, whose threads might otherwise abort the process at exit."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def import_mmengine(waits_s: Sequence[float] = (0.5, 1.0, 2.0)) -> None:
    """Imports MMEngine without needless warnings, before our modules that need it.

    On its first import on a machine, its formatter yapf writes a cache. A process that reads a
    partial cache of another one waits and tries again.

    Raises:
        UserError: the cache stays partial, as its writer was killed.
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
    """Silences messages of MMEngine, torch and Pillow that users cannot act on."""
    warnings.filterwarnings("ignore", module=r"PIL\.")  # on photos: what matters is an error
    warnings.filterwarnings("ignore", message=".*pkg_resources.*")
    warnings.filterwarnings("ignore", message="Setting (OMP|MKL)_NUM_THREADS")
    logging.getLogger("mmengine").setLevel(logging.ERROR)
