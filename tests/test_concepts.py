"""docs/concepts.md leads to code that exists: its tree, its walks and its tables of names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "concepts.md").read_text("utf-8")
FOLDERS = (ROOT / "l2rkit", ROOT)


def place(path: str) -> Path:
    """The file or folder that the page calls so, in the package or beside it."""
    (found, *_) = [folder / path for folder in FOLDERS if (folder / path).exists()]
    return found


def text_of(path: Path) -> str:
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return "\n".join(file.read_text("utf-8") for file in files)


PACKAGE = text_of(ROOT / "l2rkit")


def is_path(name: str) -> bool:
    return bool(re.fullmatch(r"[\w/]+(\.py|/)", name))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_tree_shows_all_of_the_package() -> None:
    tree = section("The tree").split("```")[1]
    inside = tree[tree.index("l2rkit/") + 7 : tree.index("\ntools/")]
    shown = {name.rstrip("/") for line in inside.splitlines() for name in names_before_words(line)}
    there = {p.name for p in (ROOT / "l2rkit").iterdir() if not p.name.startswith(("__", "."))}
    assert shown == there


def names_before_words(line: str) -> list[str]:
    """The names of files and folders at the beginning of a line of the tree."""
    names = []
    for word in line.split():
        if not is_path(word):
            break
        names.append(word)
    return names


def test_the_walks_have_ten_hops_at_most_and_lead_to_what_exists() -> None:
    for title in ("One photo, from file to mesh", "One training batch"):
        hops = re.findall(r"^\d+\. (.+(?:\n   .+)*)", section(title), re.MULTILINE)
        assert 5 <= len(hops) <= 10
        for hop in hops:
            names = re.findall(r"`([^`]+)`", hop)
            code = "\n".join(text_of(place(name)) for name in names if is_path(name))
            for name in (n for n in names if re.fullmatch(r"\w+(\.\w+)?", n) and not is_path(n)):
                searched = code if "." in name else PACKAGE  # `Class.method` is in the hop's file
                expected = name.split(".")[-1]
                assert re.search(rf"\b(class|def|self\.) ?{expected}\b", searched), name


def test_names_from_other_toolboxes_are_in_the_files_that_the_table_names() -> None:
    rows = [
        row for row in section("Where to look for what you know").splitlines() if row[:1] == "|"
    ]
    known = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [cell for cell in known[0][::2]] == ["from MMEngine", "from StyleGAN2", "from Unsup3D"]
    for row in known[2:]:
        for theirs, ours in zip(row[::2], row[1::2], strict=True):
            names = re.findall(r"`([^`]+)`", ours)
            code = "\n".join(text_of(place(name)) for name in names if is_path(name))
            searched = [name for name in names if not is_path(name)]
            searched += [name.strip(" `") for name in theirs.split(",")]
            for name in searched:
                assert re.search(re.escape(name), code, re.IGNORECASE), f"{name} is not in {ours}"
    assert len(known[2:]) == 10
