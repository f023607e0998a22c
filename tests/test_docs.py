"""Python, commands and links in the documents work."""

import os
import re
import runpy
import shlex
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from l2rkit.cli import main

ROOT = Path(__file__).parents[1]
PLACES = ("*.md", "docs/*.md", "configs/*/README.md", "projects/**/README.md")
PAGES = {p.relative_to(ROOT).as_posix(): p for place in PLACES for p in sorted(ROOT.glob(place))}
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<why>.+?) -->\n)?```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INDENTED = re.compile(r"^\n((?: {4}.+\n)+)", re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(
    r"(?:\bpython (?:-m \S+ (?:--\S+ \S+ )*)?(?P<tool>tools/\S+\.py)|\bl2rkit)(?= |$)"
)
LINK = re.compile(r"\[[^\[\]]+\]\(([^()\s]+)\)")
PAIR = re.compile(r"[\w.]+=\S+")


class Block(NamedTuple):
    language: str
    text: str
    why: str | None  # it is not run


def blocks(text: str) -> list[Block]:
    return [Block(m["language"], m["text"], m["why"]) for m in FENCE.finditer(text)]


def code(page: str) -> list[Block]:
    return [b for b in blocks(PAGES[page].read_text("utf-8")) if b.language == "python"]


def prose(text: str) -> str:
    return FENCE.sub("", text)


def commands(text: str) -> Iterator[tuple[str, bool]]:
    """Each command that a page gives, and whether it is whole rather than a mention."""
    shown = [b.text for b in blocks(text) if b.language in ("", "bash", "sh", "console")]
    rest = prose(text)
    for block in [*shown, *INDENTED.findall(rest)]:
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if COMMAND.search(line):
                yield line, True
    for line in INLINE.findall(rest):
        if COMMAND.match(line.removeprefix(".venv/bin/")):
            yield line, False


def fault(line: str, whole: bool = True) -> str | None:
    """What click or the folder has against a command; nothing is run."""
    found = COMMAND.search(line)
    tool, words = found["tool"], shlex.split(line[found.end() :], comments=True)
    ends = [i for i, word in enumerate(words) if word in ("&&", "|", ";", ">", "\\")]
    words = words[: min(ends, default=len(words))]
    absent = [w for w in words if re.match(r"(configs|projects)/.*\.py$", w)]
    absent = [w for w in [*absent, *([tool] if tool else [])] if not (ROOT / w).is_file()]
    if absent:
        return f"{absent[0]} is not there"
    command = command_of(tool) if tool else main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, words = words[0], words[1:]
        command = command.get_command(click.Context(command), name)
        if command is None:
            return f"there is no command {name}"
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            parameter.type.exists = False  # what a page calls a file of its reader's
    try:
        command.make_context(command.name, words, resilient_parsing="--help" in words)
    except click.MissingParameter as missing:
        return missing.format_message() if whole else None
    except click.exceptions.NoArgsIsHelpError:
        return None
    except click.UsageError as wrong:
        return wrong.format_message()
    return None


@cache
def command_of(tool: str) -> click.Command:
    sys.path.insert(0, str((ROOT / tool).parent))  # as Python does for a script
    found = [c for c in runpy.run_path(str(ROOT / tool)).values() if isinstance(c, click.Command)]
    return next((c for c in found if isinstance(c, click.Group)), found[-1])


def anchors(text: str) -> set[str]:
    """What headings are called in links, as GitHub and MkDocs have it."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    bare = [re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", h) for h in headings]
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in bare}


def broken(page: Path) -> list[str]:
    """Links of a page that lead to no file, or to no heading."""
    wrong = []
    for target in LINK.findall(INLINE.sub("code", prose(page.read_text("utf-8")))):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        to = page.parent / path if path else page
        to = to / "README.md" if anchor and to.is_dir() else to
        if not to.exists() or (anchor and anchor not in anchors(to.read_text("utf-8"))):
            wrong.append(target)
    return wrong


@pytest.mark.parametrize("page", [p for p in PAGES if any(not b.why for b in code(p))])
def test_its_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("l2rkit", "configs", "projects"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "l2rkit/zoo/samples/portrait_1_severe.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [os.fspath(tmp_path), *sys.path])
    names: dict = {"__name__": "page"}
    for number, block in enumerate(code(page), 1):
        if not block.why:
            exec(compile(block.text, f"{page}, block {number}", "exec"), names)


@pytest.mark.parametrize(
    ("page", "number"), [(p, n) for p in PAGES for n, b in enumerate(code(p)) if b.why]
)
def test_what_is_not_run_is_python(page: str, number: int) -> None:
    block = code(page)[number]
    compile(block.text, page, "exec")
    pytest.skip(f"not run: {block.why}")


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_are_taken(page: str) -> None:
    text = PAGES[page].read_text("utf-8")
    wrong = {line: fault(line, whole) for line, whole in commands(text)}
    assert not {line: why for line, why in wrong.items() if why}


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    assert broken(PAGES[page]) == []


def test_data_lie_where_the_page_of_data_sets_puts_them() -> None:
    places = set()
    for path in (ROOT / "configs").rglob("*.py"):
        places |= set(re.findall(r'data_root ?= ?"(data/\w+)"', path.read_text("utf-8")))
    page = PAGES["docs/datasets.md"].read_text("utf-8")
    assert len(places) > 4
    assert [p for p in sorted(places - {"data/photos"}) if f"{p}/" not in page] == []
