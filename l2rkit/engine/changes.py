"""Changes of a config since a checkpoint was written."""

import ast
from collections.abc import Iterator
from typing import Any

# Keys that do not affect training, or that a resumed run sets itself.
IGNORED = [
    *("work_dir", "resume", "load_from", "load_only", "launcher", "randomness", "env_cfg"),
    *("log_level", "log_processor", "visualizer", "default_hooks.logger", "default_hooks.timer"),
    *("protocol", "measured_by", "level", "test_dataloader", "test_evaluator", "test_cfg"),
    *("train_loader", "test_loader"),  # variables of configs/_base_/loaders.py
]


def changes(was: str, now: str) -> dict[str, tuple[Any, Any]]:
    """By dotted path, the values in two configs, as MMEngine prints them, that differ.

    The texts are parsed, not run. A value that only one of them has is None in the other.
    """
    one, other = (dict(_leaves(_read(text))) for text in (was, now))
    return {
        path: (one.get(path), other.get(path))
        for path in sorted(one.keys() | other.keys())
        if one.get(path) != other.get(path) and not _is_ignored(path)
    }


def from_checkpoint(path: str) -> bool:
    """Whether a value comes from the checkpoint's optimizers and schedules, not the config."""
    steps = path.split(".")
    scheduled = steps[0] in ("param_scheduler", "auto_scale_lr")
    return scheduled or not {"optimizer", "paramwise_cfg"}.isdisjoint(steps)


def as_text(differ: dict[str, tuple[Any, Any]]) -> str:
    """The changes in words: `train_cfg.max_iters 2 -> 4, ...`."""
    return ", ".join(f"{path} {was!r} -> {now!r}" for path, (was, now) in differ.items())


def _is_ignored(path: str) -> bool:
    return any(path == key or path.startswith(f"{key}.") for key in IGNORED)


def _read(text: str) -> dict[str, Any]:
    """The assignments of a config in plain values; {} if it is no Python."""
    try:
        lines = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    pairs = [line for line in lines if isinstance(line, ast.Assign)]
    return {ast.unparse(line.targets[0]): _value(line.value) for line in pairs}


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict":
        found = [_value(inner) for inner in node.args]
        named = {word.arg: _value(word.value) for word in node.keywords if word.arg}
        return {k: v for part in [*found, named] if isinstance(part, dict) for k, v in part.items()}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values)
        return {_value(key): _value(value) for key, value in pairs if isinstance(key, ast.Constant)}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(inner) for inner in node.elts]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ast.unparse(node)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not path):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{number}")
    else:
        yield path, value
