"""The page's server on loopback: uploads, results, and the clean-up."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner
from PIL import Image

from l2rkit.cli import main
from l2rkit.data.quality import Quality
from l2rkit.demo import serving
from l2rkit.demo.choices import NOTHING
from l2rkit.demo.look import Look
from l2rkit.zoo import zoo_file

QUICK = "unsup3d_heads_32"
PHOTO = zoo_file("samples/head.jpg")


def test_without_gradio_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["app"])
    assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1
    assert "pip install 'gradio>=6.31,<7'" in result.stderr


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
        "import sys; from l2rkit.cli import main\n"
        "try: main(['app', '--help'])\n"
        "finally: assert not {'torch', 'gradio', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "127.0.0.1" in done.stdout


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_while_the_method_is_loaded_is_not_lost(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python ignores what is raised in callbacks of weak references, such as KeyboardInterrupt."""
    from l2rkit.demo import look

    def loaded() -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(1)

    class Never:
        def wait(self) -> None:
            pytest.fail("the page is served on")

    monkeypatch.setattr(serving, "served", lambda host, port: nullcontext("address"))
    monkeypatch.setattr(look, "warmed", loaded)
    monkeypatch.setattr("l2rkit.cli.app.threading.Event", Never)
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {kind: signal.signal(kind, signal.SIG_DFL) for kind in kinds}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = CliRunner().invoke(main, ["app"])
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, "started by nohup"
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    assert done.exit_code == 0, done.output


def client(address: str, folder: Path):
    from gradio_client import Client

    return Client(address, download_files=str(folder), verbose=False, analytics_enabled=False)


def ask(page, photo: object, second: str = NOTHING) -> tuple:
    from gradio_client import handle_file

    return page.predict(
        handle_file(str(photo)), "mild", NOTHING, 1.0, QUICK, second, api_name="/look"
    )


def test_a_photo_goes_up_and_a_mesh_comes_down(address: str, tmp_path: Path) -> None:
    pictures, both, model, file, *_ = ask(client(address, tmp_path), PHOTO)
    before, after = (np.asarray(Image.open(path), float) for path in both)
    assert 1 < np.abs(before - after).mean() < 60  # the face is drawn in what the method saw
    assert [one["caption"] for one in pictures] == [
        "photo",
        "degraded",
        "drawn",
        "albedo",
        "normals",
        "depth",
    ]
    path = model["value"] if isinstance(model, dict) else model
    for each in (path, file):
        mesh = trimesh.load(each, force="mesh", process=False)
        assert 300 < len(mesh.vertices) < 32**2  # the face alone
    assert Path(file).name == f"head-{QUICK}.glb"


def test_one_of_several_faces_is_chosen_and_its_flags_are_shown(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    from l2rkit.demo import look as module
    from l2rkit.demo import page as shown

    cut = Quality(score=0.9, width=90.0, outside=0.5, yaw_deg=0.0, hidden=-3.0)
    faces = [np.full((32, 32, 3), colour, np.uint8) for colour in (90, 120)]
    known = zip(faces, (replace(cut, outside=0.0), cut))
    numbered = dict(enumerate(known, 1))
    monkeypatch.setattr(module, "crop_of", lambda photo, size, which: numbered[which])
    page = client(address, tmp_path)
    values = (handle_file(str(PHOTO)), "clean", NOTHING, 1.0, QUICK, NOTHING)
    for number, colour, line in ((1, 90, ""), (2, 120, "quality: cut")):
        pictures, _, _, _, note, *_, other = page.predict(*values, number, api_name="/look")
        file = pictures[0]["image"]
        path = file["path"] if isinstance(file, dict) else file
        assert np.asarray(Image.open(path)).mean() == colour
        assert words_of(note) == line and words_of(other) == ""
    monkeypatch.undo()
    with pytest.raises(AppError, match="face 3 was asked for, and there are 1 in the photo"):
        page.predict(*values, 3, api_name="/look")
    crops = faces
    monkeypatch.setattr(shown, "is_uploaded", lambda photo: True)
    monkeypatch.setattr(shown, "saved", lambda content, name: name)
    for faces, count in ((crops, 2), (crops[:1], 0)):
        monkeypatch.setattr(shown, "faces_in", lambda photo, size, faces=faces: faces)
        gallery, which = shown.found("a.jpg")
        assert len(gallery.value or ()) == count and gallery.visible == bool(count) and which == 1


def words_of(note: object) -> str:
    """What a line of the page says, as gradio's client has it."""
    return (note.get("value") or "") if isinstance(note, dict) else note or ""


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


def test_twenty_at_once_are_served_one_by_one(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from l2rkit.demo import page as module

    busy, most, count = threading.Lock(), [], []

    def slow(photo: str, level: str, method: str, restorer: str, fidelity: float, _: int) -> Look:
        most.append(busy.acquire(blocking=False))
        time.sleep(0.02)
        count.append(fidelity)
        busy.release()
        colour = round(fidelity * 100)
        seen, made = np.full((4, 4, 3), colour, np.uint8), b"glTF%d" % colour
        return Look({"photo": seen}, seen, seen, made, made)

    monkeypatch.setattr(module, "look", slow)
    one = client(address, tmp_path)
    from gradio_client import handle_file

    def asked(number: int) -> bytes:
        values = (handle_file(str(PHOTO)), "mild", NOTHING, number / 20, QUICK, NOTHING)
        return Path(one.predict(*values, api_name="/look")[3]).read_bytes()

    with ThreadPoolExecutor(20) as people:
        found = list(people.map(asked, range(20)))
    assert found == [b"glTF%d" % (number * 5) for number in range(20)]
    assert len(count) == 20 and all(most)


def test_its_files_go_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int) -> None:
    pytest.importorskip("gradio")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with serving.served(port=port):
        (folder,) = tmp_path.glob("l2rkit-demo-*")
        assert list(folder.rglob("*.jpg"))  # the samples
    assert not list(tmp_path.glob("l2rkit-demo-*"))


def test_few_visits_are_remembered(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """gradio would keep 10,000 copies of the page's state, and as many records of answers."""
    pytest.importorskip("gradio")
    import httpx

    from l2rkit.demo import page as module

    made, build = [], module.page
    monkeypatch.setattr(module, "page", lambda choices: made.append(build(choices)) or made[0])
    monkeypatch.setattr(serving, "REMEMBERED", 2)
    with serving.served(port=port) as address:
        for visit in range(4):
            asked = [None, "clean", NOTHING, 1.0, QUICK, NOTHING, 1]
            call = dict(data=asked, session_hash=f"visit{visit}")
            number = httpx.post(f"{address}/gradio_api/call/look", json=call).json()["event_id"]
            answer = httpx.get(f"{address}/gradio_api/call/look/{number}", timeout=60).text
            assert "choose a photo first" in answer
        assert list(made[0].state_holder.session_data) == ["visit2", "visit3"]
        assert made[0]._queue.ANALYTICS_MAX_EVENTS == 100
