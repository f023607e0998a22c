"""Errors of users. A `UserError` carries one line that says what to change.

The commands print that line and end. Only functions that take users' input raise one; any other
exception is a bug of ours and keeps its traceback.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

LONGEST = 1500  # characters of a message; a name in a file may have a million
# How torch's DataLoader reports an error in one of its processes: by a whole traceback
IN_WORKER = re.compile(r"(?s)Caught \w+ in DataLoader worker .*\n[\w.]+: ([^\n]+)\s*\Z")
T = TypeVar("T")


class UserError(ValueError):
    """An error that the caller can fix; `str(error)` is one line."""

    def __init__(self, message: object = "") -> None:  # a quoted text may have several lines
        text = IN_WORKER.sub(r"\1", str(message))
        one_line = " ".join(filter(None, map(str.strip, text.splitlines())))
        if len(one_line) > LONGEST:
            one_line = f"{one_line[: LONGEST // 2]} ... {one_line[-LONGEST // 2 :]}"
        super().__init__(printable(one_line))


class ConfigError(UserError):
    """A config file, a key of it or an override is wrong."""


class PartError(UserError):
    """A part is not registered, got wrong arguments, or returned a wrong value."""


class WeightsError(UserError):
    """A weight file is missing, unsafe, damaged or of another architecture."""


class DataError(UserError):
    """A data set is missing, or not laid out as its reader expects."""


def printable(text: object) -> str:
    """The text with control characters and invalid Unicode escaped, as `\\x1b`."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in str(text)
    )


def near(name: str, known: Iterable[str]) -> str:
    """`": did you mean 'x'?"`, or the known names where none is close."""
    known = sorted(map(str, known))
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f": did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}" if known else ""


def of_mode(model: object, mode: str, calls: Mapping[str, T]) -> T:
    """The function for `mode` of the model's `forward`.

    Raises:
        PartError: there is no such mode.
    """
    if mode not in calls:
        raise PartError(f"{type(model).__name__} has no mode '{mode}'{near(mode, calls)}")
    return calls[mode]
