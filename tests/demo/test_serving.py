"""The page's server on loopback: what goes through its doors, and what does not."""

import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from PIL import Image

from l2rkit.commands import main
from l2rkit.demo import serving
from l2rkit.demo.choices import NOTHING
from l2rkit.demo.look import Look
from l2rkit.zoo import zoo_file

QUICK = "unsup3d_heads_32"
PHOTO = zoo_file("samples/head.jpg")


def test_without_gradio_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1
    assert "pip install 'l2rkit[demo]'" in result.stderr


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(serving.UserError, match=f"cannot serve at 127.0.0.1:{port}: .*in use"):
            serving.check_free("127.0.0.1", port)
    serving.check_free("127.0.0.1", port)


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("L2RKIT_ONE", "old")
    with serving.environment({"L2RKIT_ONE": "new", "L2RKIT_OTHER": "new"}):
        assert serving.os.environ["L2RKIT_ONE"] == serving.os.environ["L2RKIT_OTHER"] == "new"
    assert serving.os.environ["L2RKIT_ONE"] == "old" and "L2RKIT_OTHER" not in serving.os.environ


def test_help_imports_neither_torch_nor_gradio() -> None:
    code = (
        "import sys; from l2rkit.commands import main\n"
        "try: main(['demo', '--help'])\n"
        "finally: assert not {'torch', 'gradio', 'numpy'} & set(sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 0 and "127.0.0.1" in told.stdout


def client(address: str, folder: Path):
    from gradio_client import Client

    return Client(address, download_files=str(folder), verbose=False, analytics_enabled=False)


def ask(page, photo: object, second: str = NOTHING) -> tuple:
    from gradio_client import handle_file

    return page.predict(
        handle_file(str(photo)), "mild", NOTHING, 1.0, QUICK, second, api_name="/look"
    )


def test_a_photo_goes_up_and_a_mesh_comes_down(address: str, tmp_path: Path) -> None:
    pictures, model, file, *_ = ask(client(address, tmp_path), PHOTO)
    assert [one["caption"] for one in pictures] == [
        "photo",
        "degraded",
        "albedo",
        "normals",
        "depth",
    ]
    path = model["value"] if isinstance(model, dict) else model
    for each in (path, file):
        assert len(trimesh.load(each, force="mesh", process=False).vertices) == 32**2
    assert Path(file).name == f"head-{QUICK}.glb"


def test_mistakes_are_one_line_without_paths(address: str, tmp_path: Path) -> None:
    from gradio_client.exceptions import AppError

    page = client(address, tmp_path)
    text, nobody = tmp_path / "text.jpg", tmp_path / "nobody.png"
    text.write_text("no picture at all")
    Image.new("RGB", (60, 60), "tan").save(nobody)
    for path, said in [(text, "photo 'text.jpg': is not a picture"), (nobody, "no face found")]:
        with pytest.raises(AppError) as error:
            ask(page, path)
        assert said in str(error.value) and "/" not in str(error.value)
        assert len(str(error.value).splitlines()) == 1


def test_too_large_a_file_is_refused(address: str, tmp_path: Path) -> None:
    import httpx

    content = b"x" * 21_000_000
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.jpg", content)})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "setup.py", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"]
)
def test_other_files_are_not_given(address: str, path: str) -> None:
    import httpx

    if not path.startswith(("/", ".", "%")):
        path = str(Path(path).resolve())
    answer = httpx.get(f"{address}/gradio_api/file={path}")
    assert answer.status_code in (403, 404) and b"root:" not in answer.content
    if path.startswith("/"):
        assert answer.status_code == 403


def test_a_photo_has_to_be_uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradio = pytest.importorskip("gradio")
    from l2rkit.demo.page import compared

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for path in ("/etc/passwd", str(PHOTO), f"{tmp_path}/../../../etc/passwd"):
        with pytest.raises(gradio.Error, match="a photo has to be uploaded"):
            compared(path, "clean", NOTHING, 1.0, QUICK, NOTHING)
    with pytest.raises(gradio.Error, match="choose a photo first"):
        compared(None, "clean", NOTHING, 1.0, QUICK, NOTHING)


@pytest.mark.parametrize("path", ["/etc/passwd", str(PHOTO)])
def test_a_request_by_hand_gets_no_file_of_the_server(address: str, path: str) -> None:
    """What gradio's own client would upload first: here the server is told a path of its own."""
    import httpx

    named = {"path": path, "meta": {"_type": "gradio.FileData"}}
    values = [named, "clean", NOTHING, 1.0, QUICK, NOTHING]
    config = httpx.get(f"{address}/config").json()
    (number,) = [d["id"] for d in config["dependencies"] if d.get("api_name") == "look"]
    call = dict(data=values, fn_index=number, session_hash="byhand", trigger_id=None)
    api = f"{address}/gradio_api"
    answer = httpx.post(f"{api}/queue/join", json=call, timeout=30)
    told = answer.text
    if answer.status_code == 200:
        with httpx.stream(
            "GET", f"{api}/queue/data", params=dict(session_hash="byhand"), timeout=60
        ) as stream:
            told = "".join(stream.iter_text())
        assert '"success":false' in told.replace(" ", "") and "process_completed" in told
    assert "root:" not in told and "glb" not in told


def test_answers_forbid_other_hosts(address: str) -> None:
    import httpx

    answer = httpx.get(address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy
    assert "fonts.googleapis.com" not in answer.text.split("window.gradio_config")[0]
    theme = httpx.get(f"{address}/theme.css").text
    assert "@import" not in theme and "url(http" not in theme.replace("'", "").replace('"', "")


def test_twenty_at_once_are_served_one_by_one(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from l2rkit.demo import page as module

    busy, most, count = threading.Lock(), [], []

    def slow(photo: str, level: str, method: str, restorer: str, fidelity: float) -> Look:
        most.append(busy.acquire(blocking=False))
        time.sleep(0.02)
        count.append(fidelity)
        busy.release()
        colour = round(fidelity * 100)
        return Look({"photo": np.full((4, 4, 3), colour, np.uint8)}, b"glTF%d" % colour)

    monkeypatch.setattr(module, "look", slow)
    one = client(address, tmp_path)
    from gradio_client import handle_file

    def asked(number: int) -> bytes:
        values = (handle_file(str(PHOTO)), "mild", NOTHING, number / 20, QUICK, NOTHING)
        return Path(one.predict(*values, api_name="/look")[2]).read_bytes()

    with ThreadPoolExecutor(20) as people:
        found = list(people.map(asked, range(20)))
    assert found == [b"glTF%d" % (number * 5) for number in range(20)]
    assert len(count) == 20 and all(most)


def test_its_files_go_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serving.served(port=port):
        (folder,) = tmp_path.glob("l2rkit-demo-*")
        assert list(folder.rglob("*.jpg"))  # the samples
    assert not list(tmp_path.glob("l2rkit-demo-*"))
