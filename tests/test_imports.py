"""Lower packages do not import from higher ones, and no modules import each other."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "l2rkit"

# The folders and modules of l2rkit from the lowest to the highest; each may import those before it.
# Names from `l2rkit` itself, such as the version, are as low as errors.
LAYERS = (
    *("__init__", "errors", "structures", "ops", "zoo", "registry", "io", "geometry", "plugins"),
    *("render", "landmarks", "degrade", "data", "identity", "losses", "engine"),
    *("restore", "decompose", "priors", "refine", "metrics", "viz", "stated", "testing"),
    *(
        "adversary",
        "collection",
        "model",
        "view_student",
        "config",
        "leaderboard",
        "apis",
        "demo",
        "cli",
        "__main__",
    ),
)


def module_name(path: Path, root: Path) -> str:
    """`render.grid` of render/grid.py, `render` of render/__init__.py, `__init__` of the root's."""
    steps = path.relative_to(root).with_suffix("").parts
    return ".".join(steps[:-1] if len(steps) > 1 and steps[-1] == "__init__" else steps)


def statements(node: ast.AST, late: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports below a node; without `late`, only those that run when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        elif late or not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from statements(child, late)


def imports(root: Path, late: bool) -> dict[str, set[str]]:
    """For each module below `root` the modules that it imports, by the names of `module_name`."""
    paths = {module_name(path, root): path for path in root.rglob("*.py")}
    found: dict[str, set[str]] = {name: set() for name in paths}
    for name, path in paths.items():
        own = ([] if name == "__init__" else name.split("."))[
            : None if path.stem == "__init__" else -1
        ]
        for node in statements(ast.parse(path.read_text("utf-8")), late):
            if isinstance(node, ast.Import):
                steps = [alias.name.split(".") for alias in node.names]
                whole = [each[1:] for each in steps if each[0] == root.name]
            else:
                base = (node.module or "").split(".") if node.module else []
                if node.level:
                    base = [*own[: len(own) - node.level + 1], *base]
                elif base[:1] != [root.name]:
                    continue
                else:
                    base = base[1:]
                whole = [[*base, alias.name] for alias in node.names]
            for each in whole:
                target = ".".join(each) if ".".join(each) in paths else ".".join(each[:-1])
                found[name].add(target or "__init__")
    return found


def upward(graph: dict[str, set[str]], layers: tuple[str, ...]) -> list[str]:
    """`low -> high` for each import from a higher layer."""
    rank = {layer: number for number, layer in enumerate(layers)}
    return [
        f"{name} -> {other}"
        for name, others in sorted(graph.items())
        for other in sorted(others)
        if rank[other.split(".")[0]] > rank[name.split(".")[0]]
    ]


def test_no_package_imports_from_a_higher_one() -> None:
    graph = imports(PACKAGE, late=True)
    assert {name.split(".")[0] for name in graph} == set(LAYERS)
    assert upward(graph, LAYERS) == []


def test_no_modules_import_each_other() -> None:
    # A package's __init__ imports its modules, which may import others of the package.
    graph = imports(PACKAGE, late=False)
    packages = {name for name in graph if any(other.startswith(f"{name}.") for other in graph)}
    TopologicalSorter(
        {name: others - packages for name, others in graph.items() if name not in packages}
    ).prepare()


def test_the_two_checks_find_a_circle_and_an_arrow_upwards(tmp_path: Path) -> None:
    root = tmp_path / "l2rkit"
    for folder in ("low", "high"):
        (root / folder).mkdir(parents=True)
        (root / folder / "__init__.py").touch()
    (root / "__init__.py").touch()
    (root / "low" / "a.py").write_text(
        "from ..high.b import x\n\ndef f():\n    import l2rkit.high.c\n"
    )
    (root / "high" / "b.py").write_text("from . import c\n")
    (root / "high" / "c.py").write_text("from l2rkit.high.b import y\nimport os\n")
    graph = imports(root, late=False)
    assert upward(graph, ("__init__", "low", "high")) == ["low.a -> high.b"]
    assert upward(imports(root, late=True), ("__init__", "low", "high"))[1:] == ["low.a -> high.c"]
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()
