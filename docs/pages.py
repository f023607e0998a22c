"""Pages of the site that are made from other files: READMEs, and the reference from docstrings.

MkDocs calls the functions named `on_*`; nothing here is typed twice. A link to a file that is no
page of the site becomes the file's name.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from griffe import Extension
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
METHODS = {p.parent.name: p for p in sorted((ROOT / "configs").glob("*/README.md"))}
PROJECTS = {p.parent.name: p for p in sorted((ROOT / "projects").glob("*/README.md"))}
READ = {  # page of the site: file of the repository
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changes.md": "CHANGELOG.md",
    "model-zoo.md": "model-zoo.md",
    "projects/index.md": "projects/README.md",
    **{f"methods/{name}.md": f"configs/{name}/README.md" for name in METHODS},
    **{f"projects/{name}.md": f"projects/{name}/README.md" for name in PROJECTS},
}
CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(!?)\[([^\[\]]+)\]\(([^()\s]+)\)")
TERM = re.compile(r"^(\S[^\n]*)\n((?: {4}[^\n]+\n?)+)", re.MULTILINE)
NAMED = re.compile(r"^([a-z_]\w*(?: \([^)\n]*\))?): ", re.MULTILINE)


def reference() -> dict[str, list[str]]:
    """The modules of each page of the reference: a page for each file or folder of the package."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "l2rkit").rglob("*.py")):
        words = path.relative_to(ROOT).with_suffix("").parts
        words = words[:-1] if words[-1] == "__init__" else words
        if len(words) > 1 and not any(word.startswith("_") for word in words):
            found.setdefault(words[1], []).append(".".join(words))
    return found


def on_config(config: Any) -> Any:
    """Adds methods, projects and the reference to the menu."""
    for title, folder in (("Methods", "methods"), ("Projects", "projects")):
        pages = sorted(page for page in READ if page.startswith(f"{folder}/"))
        config.nav.append({title: [{heading(READ[page]): page} for page in pages]})
    config.nav.append({"Reference": [{name: f"api/{name}.md"} for name in sorted(reference())]})
    return config


def heading(source: str) -> str:
    """The first line of a Markdown file, without its mark."""
    return (ROOT / source).read_text("utf-8").splitlines()[0].lstrip("# ")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that are read or made."""
    for page, source in READ.items():
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    for name, modules in reference().items():
        text = f"# {name}\n\n" + "\n\n".join(f"::: {module}" for module in modules)
        files.append(File.generated(config, f"api/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """A page's links, written for the repository, as the site needs them."""
    here = page.file.src_uri
    source = READ.get(here, f"docs/{here}")
    pages = {file: name for name, file in READ.items()}
    pages |= {posixpath.dirname(file): name for name, file in READ.items() if "/" in file}
    pages |= {f"l2rkit/{name}.py": f"api/{name}.md" for name in reference()}
    pages |= {f"docs/{f.src_uri}": f.src_uri for f in files if f.src_uri not in READ}

    def moved(found: re.Match) -> str:
        mark, text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if path not in pages:
            shown = re.sub("\0(\\d+)\0", lambda code: held[int(code[1])], text).strip("`*")
            return text if shown in path else f"{text} (`{path}`)"
        to = posixpath.relpath(pages[path], posixpath.dirname(here) or ".")
        return f"{mark}[{text}]({to}{'#' * bool(anchor)}{anchor})"

    held: list[str] = []  # code, which is left alone, and may be the text of a link

    def put_away(found: re.Match) -> str:
        held.append(found[0])
        return f"\0{len(held) - 1}\0"

    markdown = LINK.sub(moved, CODE.sub(put_away, markdown))
    return re.sub("\0(\\d+)\0", lambda found: held[int(found[1])], markdown)


class Readable(Extension):
    """Docstrings, which are laid out for reading as they stand, as Markdown."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        if obj.docstring and not obj.is_alias:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """Terms above indented lines become definitions, lines `name: ...` become a list."""
    text = TERM.sub(lambda m: f"\n{m[1]}\n:   {m[2].strip()}\n", text)
    first = NAMED.search(text)
    if first:
        text = f"{text[: first.start()]}\n{text[first.start() :]}"
    return NAMED.sub(r"- `\1`: ", text)
