"""The page's server on loopback: what goes through its doors, and what does not."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

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
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../../../../../etc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=FOLDER/../../../../../../etc/passwd",
        f"/gradio_api/file={PHOTO}",
        "/static/../../../../../../../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "//etc/passwd",
    ],
)
def test_other_files_are_not_given(address: str, path: str) -> None:
    from gradio.utils import get_upload_folder

    status, content = raw(address, path.replace("FOLDER", get_upload_folder()))
    assert status in (403, 404) and b"root:" not in content and len(content) < 500
    if "file=" in path:
        assert status == 403


def raw(address: str, path: str) -> tuple[int, bytes]:
    """The answer to a path as it is: httpx and browsers would take its dots out."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_photo_has_to_be_uploaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradio = pytest.importorskip("gradio")
    from l2rkit.demo.page import compared

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for path in ("/etc/passwd", str(PHOTO), f"{tmp_path}/../../../etc/passwd"):
        with pytest.raises(gradio.Error, match="a photo has to be uploaded"):
            compared(path, "clean", NOTHING, 1.0, QUICK, NOTHING)
    with pytest.raises(gradio.Error, match="choose a photo first"):
        compared(None, "clean", NOTHING, 1.0, QUICK, NOTHING)


META = {"meta": {"_type": "gradio.FileData"}}  # how gradio's own client marks a file


@pytest.mark.parametrize("door", ["join", "call"])
@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"path": "/etc/passwd"}, "a photo has to be uploaded"),
        ({"path": str(PHOTO)}, "a photo has to be uploaded"),
        ({"path": "FOLDER/../../../../../etc/passwd"}, "a photo has to be uploaded"),
        ({"path": "/etc/passwd"} | META, "null"),  # gradio's own guard, which says nothing
        ({"path": str(PHOTO)} | META, "null"),
        ({"path": "x.jpg", "url": "file:///etc/passwd"} | META, "null"),
        ({"path": "x.jpg", "url": "OWN/gradio_api/upload"} | META, "null"),  # asks itself
    ],
)
def test_a_request_by_hand_gets_no_file_of_the_server(
    address: str, door: str, named: dict, said: str
) -> None:
    """What gradio's own client would upload first: here the server is told a path of its own."""
    from gradio.utils import get_upload_folder

    places = {"FOLDER": get_upload_folder(), "OWN": address}
    for word, place in places.items():
        named = {k: v.replace(word, place) if k != "meta" else v for k, v in named.items()}
    told = by_hand(address, door, named)
    assert f'"error":"{said}"' in told or f'"error":{said}' in told
    assert "root:" not in told and "glb" not in told


@pytest.mark.parametrize("door", ["join", "call"])
def test_a_request_by_hand_for_what_was_uploaded_is_answered(address: str, door: str) -> None:
    import httpx

    with PHOTO.open("rb") as file:
        uploaded = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.jpg", file)})
    told = by_hand(address, door, {"path": uploaded.json()[0]} | META)
    assert '"error"' not in told and f"a-{QUICK}.glb" in told


def by_hand(address: str, door: str, named: dict) -> str:
    """All that the server tells of a photo named so, without spaces it may put in JSON."""
    import httpx

    api = f"{address}/gradio_api"
    call = dict(data=[named, "clean", NOTHING, 1.0, QUICK, NOTHING], session_hash="byhand")
    if door == "call":
        number = httpx.post(f"{api}/call/look", json=call).json()["event_id"]
        answer = httpx.get(f"{api}/call/look/{number}", timeout=60)
    else:
        calls = httpx.get(f"{address}/config").json()["dependencies"]
        (number,) = [one["id"] for one in calls if one["api_name"] == "look"]
        httpx.post(f"{api}/queue/join", json=call | dict(fn_index=number)).raise_for_status()
        answer = httpx.get(f"{api}/queue/data", params=dict(session_hash="byhand"), timeout=60)
    return answer.text.replace('": ', '":')


def test_who_reads_a_mesh_is_not_disturbed_by_who_asks_for_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    from l2rkit.demo.page import saved

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = Path(saved(b"one mesh", "a.glb"))
    with path.open("rb") as reader:
        assert saved(b"one mesh", "a.glb") == str(path) and path.read_bytes() == b"one mesh"
        assert os.fstat(reader.fileno()).st_ino != path.stat().st_ino  # its own file, still whole
        assert reader.read() == b"one mesh"
    assert saved(b"another", "a.glb") != str(path) and list(path.parent.iterdir()) == [path]


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
