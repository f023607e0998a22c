"""The page's limits on hosts, sizes and files, and the clean-up after a kill."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from l2rkit.demo import middleware, serving
from l2rkit.demo.middleware import OpenPathsOnly
from l2rkit.demo.serving import LOCAL, PREFIX, held, sweep


def asked(
    path: str = "/", headers: dict[str, str] | None = None, method: str = "GET", **how: object
) -> int:
    """The status with which `OpenPathsOnly` answers a request; 200 if it came through."""
    statuses: list[int] = []

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def app(scope: dict, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200})

    pairs = [(key.encode(), value.encode()) for key, value in (headers or {}).items()]
    scope = {"type": "http", "path": path, "method": method, "headers": pairs}
    asyncio.run(OpenPathsOnly(app, **how)(scope, None, send))
    return statuses[0]


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "LOCALHOST:80", "[::1]:7860"])
def test_this_machine_is_answered(host: str) -> None:
    assert asked(headers={"host": host}, hosts=LOCAL) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:7860", "", "10.0.0.1"])
def test_another_name_is_not(host: str) -> None:
    assert asked(headers={"host": host}, hosts=LOCAL) == 421
    assert asked(headers={"host": host}) == 200  # with --host
    assert asked(hosts=LOCAL) == 421


def post(path: str, length: object, **how: object) -> int:
    headers = {} if length is None else {"content-length": str(length)}
    return asked(path, headers, "POST", **how)


def test_bodies_have_limits() -> None:
    call, upload = "/gradio_api/queue/join", middleware.UPLOAD
    assert post(call, 10**6) == post(upload, 20 * 10**6) == 200
    assert post(call, 300 * 10**6) == post(upload, 21 * 10**6) == 413
    assert post(call, None) == post(call, "-1") == post(call, "x") == 411
    assert asked(call, {"transfer-encoding": "chunked"}, "POST") == 411


def test_all_uploads_together_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with (tmp_path / "sub" / "photo").open("wb") as file:
        file.truncate(middleware.MOST_KEPT - 10**7)  # takes no room on the disk
    how = dict(folder=str(tmp_path))
    assert post(middleware.UPLOAD, 9 * 10**6, **how) == 200
    assert post(middleware.UPLOAD, 11 * 10**6, **how) == 507
    (tmp_path / "sub" / "photo").unlink()
    assert post(middleware.UPLOAD, 11 * 10**6, **how) == 200


def test_uploads_under_way_count() -> None:
    inside: list[int] = []

    async def app(scope: dict, receive: object, send: object) -> None:
        inside.append(guard.coming)
        raise KeyError("no name")

    async def send(message: dict) -> None:
        inside.append(message.get("status", 0))

    guard = OpenPathsOnly(app)
    headers = [(b"content-length", b"77")]
    scope = {"type": "http", "path": middleware.UPLOAD, "method": "POST", "headers": headers}
    asyncio.run(guard(scope, None, send))
    assert inside[:2] == [77, 400] and guard.coming == 0


def test_an_upload_without_a_name_is_no_error_of_the_server(address: str) -> None:
    import httpx

    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\nabc\r\n--x--\r\n'
    )
    kind = {"content-type": "multipart/form-data; boundary=x"}
    for content in (body, b"", b"--x--"):
        answer = httpx.post(f"{address}{middleware.UPLOAD}", content=content, headers=kind)
        assert answer.status_code < 500, answer.text


def test_the_page_answers_to_its_own_name_alone(address: str) -> None:
    import httpx

    assert httpx.get(address).status_code == 200
    assert httpx.get(address, headers={"host": "evil.example"}).status_code == 421


HOLDING = """
import sys, time
from l2rkit.demo.serving import held
with held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(100)
"""
needs_flock = pytest.mark.skipif(serving.fcntl is None, reason="the system has no flock")


@needs_flock
def test_what_a_killed_page_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(serving, "JUST_MADE", -1)
    folder, own = tmp_path / f"{PREFIX}1", tmp_path / f"{PREFIX}2"
    for place in (folder, own, tmp_path / "other"):
        place.mkdir()
        (place / "photo.jpg").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "other")
    words = [sys.executable, "-c", HOLDING, str(folder)]
    with held(str(own)), subprocess.Popen(words, stdout=subprocess.PIPE) as page:
        assert page.stdout.readline() == b"held\n"
        sweep()
        assert (folder / "photo.jpg").exists() and (own / "photo.jpg").exists()
        page.send_signal(signal.SIGKILL)
        page.wait()
        sweep()
        assert not folder.exists() and (own / "photo.jpg").exists()
    assert (tmp_path / "other" / "photo.jpg").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_a_closed_terminal_leaves_nothing(name: str, tmp_path: Path, port: int) -> None:
    pytest.importorskip("gradio")
    words = [sys.executable, "-c", "from l2rkit.cli import main; main()", "app", f"--port={port}"]
    there = dict(os.environ, TMPDIR=str(tmp_path))
    with subprocess.Popen(words, env=there, stdout=subprocess.PIPE) as page:
        page.stdout.readline()
        assert list(tmp_path.glob(f"{PREFIX}*"))
        time.sleep(0.5)
        page.send_signal(getattr(signal, name))
        page.wait(60)
    assert not list(tmp_path.glob(f"{PREFIX}*"))
