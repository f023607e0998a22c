"""Serves the page on this machine, within limits, and removes its files afterwards."""

import os
import socket
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from ..errors import UserError

INSTALL = "pip install 'gradio>=6.31,<7'"
WAITING = 40  # longest queue of requests; more are refused
LOCAL = ("127.0.0.1", "localhost", "[::1]")
PREFIX = "l2rkit-demo-"
JUST_MADE = 5  # s; younger folders may not be locked yet
LARGEST = "20mb"  # of an upload
REMEMBERED = 100  # sessions and events that gradio keeps; its default is 10,000
QUIET = {  # gradio reads these when it is imported
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": str(REMEMBERED),
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


@contextmanager
def served(host: str | None = None, port: int = 7860) -> Iterator[str]:
    """A context in which the page is served; gives its address, and removes its files at exit.

    Without a `host` the page is served to this machine only, under the names in `LOCAL`, against
    DNS rebinding. Files of killed servers are removed first.

    Raises:
        UserError: gradio is not installed, or the address is not free.
    """
    if find_spec("gradio") is None:
        raise UserError(f"the demo requires gradio, which is not installed: {INSTALL}")
    hosts, host = (LOCAL, LOCAL[0]) if host is None else (None, host)
    check_free(host, port)
    sweep()
    folder = TemporaryDirectory(prefix=PREFIX)
    with folder as name, held(name), environment(QUIET | {"GRADIO_TEMP_DIR": name}):
        from .choices import shipped_choices
        from .page import CSS, THEME, page

        blocks = page(shipped_choices())
        blocks.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)
        try:
            look = dict(theme=THEME, css=CSS)
            blocks.launch(
                server_name=host, server_port=port, **look, **launching(hosts, name), **CLOSED
            )
            yield f"http://{host}:{port}"
        finally:
            blocks.close(verbose=False)


CLOSED = dict(  # features of gradio that this page does not need
    share=False,
    allowed_paths=[],
    enable_monitoring=False,
    mcp_server=False,
    pwa=False,
    run_history=False,
    ssr_mode=False,
    show_error=False,
    footer_links=[],
)


def launching(hosts: Collection[str] | None, folder: str) -> dict[str, Any]:
    """The arguments of gradio's `launch`; for hosts and folder see `OpenPathsOnly`."""
    from starlette.middleware import Middleware

    from .middleware import OpenPathsOnly

    return dict(
        quiet=True,
        inbrowser=False,
        prevent_thread_lock=True,
        max_file_size=LARGEST,
        state_session_capacity=REMEMBERED,
        app_kwargs=dict(middleware=[Middleware(OpenPathsOnly, hosts=hosts, folder=folder)]),
    )


@contextmanager
def held(folder: str) -> Iterator[None]:
    """A context in which the folder is locked, until this process ends at the latest."""
    if fcntl is None:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(number)


def sweep() -> None:
    """Removes the folders of this user's killed servers, which are no longer locked."""
    for place in Path(gettempdir()).glob(f"{PREFIX}*") if fcntl is not None else ():
        with suppress(OSError):
            about = place.lstat()
            young = time.time() - about.st_mtime < JUST_MADE
            if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode) or young:
                continue
            number = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises OSError if it is in use
                rmtree(place)
            finally:
                os.close(number)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """A context in which environment variables have these values."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_free(host: str, port: int) -> None:
    """Raises UserError if the address is not free."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise UserError(f"cannot serve at {host}:{port}: {error.strerror}") from None
