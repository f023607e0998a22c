"""Processes in which nothing of l2rkit is imported yet, though what it imports is.

A server that has imported the large packages is forked for each of them: a start takes a tenth of a
second rather than some seconds. For what is said of imports themselves, or of the environment that
torch reads when it is imported, Python has to be started in the ordinary way.
"""

import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

LARGE = ["torch", "mmengine.runner", "mmengine.visualization", "cv2", "numba", "trimesh", "PIL"]
METHOD = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
PYTHON = get_context(METHOD)
if METHOD == "forkserver":
    PYTHON.set_forkserver_preload([*LARGE, "pytest"])


def python(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 300,
) -> CompletedProcess:
    """What `python WORDS` says, where they begin with `-c CODE` or `-m MODULE`."""
    command = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder, name) for name in ("stdout", "stderr")]
        arguments = (command, dict(env or os.environ), str(cwd or os.getcwd()), *map(str, said))
        process = PYTHON.Process(target=_run, args=arguments)
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
        texts = [path.read_text("utf-8") if path.exists() else "" for path in said]
    return CompletedProcess(command, process.exitcode, *texts)


def _run(command: list[str], env: dict[str, str], cwd: str, stdout: str, stderr: str) -> None:
    for path, descriptor in ((stdout, 1), (stderr, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.path[:0] = ["", *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    kind, what, *sys.argv[1:] = command
    sys.argv[0] = kind
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.modules["__main__"] = ModuleType("__main__")  # where pickles look for its functions
        exec(compile(what, "<string>", "exec"), vars(sys.modules["__main__"]))
