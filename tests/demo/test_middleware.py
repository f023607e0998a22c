"""Requests that the page's server answers, and those that it refuses."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from l2rkit.demo.choices import NOTHING
from l2rkit.demo.middleware import HEADERS, OPEN, OpenPathsOnly, names_an_address
from l2rkit.zoo import zoo_file

QUICK = "unsup3d_heads_32"
PHOTO = zoo_file("samples/head.jpg")
META = {"meta": {"_type": "gradio.FileData"}}  # how gradio's own client marks a file
CHOSEN = ("clean", NOTHING, 1.0, QUICK, NOTHING, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index-1.js",
        "/static/img/logo.svg",
        "/gradio_api/upload",
        "/gradio_api/queue/join",
        "/gradio_api/run/predict",  # what does not wait in the queue
        "/gradio_api/call/look/12ab",
        "/gradio_api/heartbeat/12ab",
        "/gradio_api/file=/tmp/l2rkit-demo-1/face.glb",
        "/gradio_api/file=C:/l2rkit-demo-1/httpsome.glb",
    ],
)
def test_what_the_page_needs_is_open(path: str) -> None:
    assert OPEN.fullmatch(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/gradio_api/file=http://example.org/a.jpg",
        "/gradio_api/file=HTTPS://example.org/a.jpg",
        "/file=http://example.org/a.jpg",
        "/gradio_api/file/http://example.org/a.jpg",
        "/gradio_api/proxy=https://example.org/",
        "/gradio_api/process_recording",
        "/gradio_api/component_server",
        "/gradio_api/vibe-edit/",
        "/gradio_api/dev/reload",
        "/gradio_api/run/look",
        "/gradio_api/call/look/1/2",
        "/gradio_api/call/chosen",
        "/monitoring",
        "/configured",
        "/config\n",
    ],
)
def test_what_it_does_not_need_is_shut(path: str) -> None:
    sent = asyncio.run(answered(path))
    assert sent[0]["status"] == 404 and (b"referrer-policy", b"no-referrer") in sent[0]["headers"]
    assert sent[1]["body"] == b'{"detail": "Not Found"}'


async def answered(path: str) -> list[dict]:
    """What `OpenPathsOnly` sends before an app that must not be reached."""
    sent: list[dict] = []

    async def keep(message: dict) -> None:
        sent.append(message)

    async def app(*_: object) -> None:
        raise AssertionError(f"{path} came through")

    await OpenPathsOnly(app)({"type": "http", "path": path}, None, keep)
    return sent


def test_what_is_open_reaches_the_app_and_gets_the_headers() -> None:
    sent: list[dict] = []

    async def keep(message: dict) -> None:
        sent.append(message)

    async def app(scope: dict, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    asyncio.run(OpenPathsOnly(app)({"type": "http", "path": "/"}, None, keep))
    own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    assert sent == [{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b"), *own]}]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"path": "http://example.org/a.jpg"}, True),
        ({"path": " HTTPS://example.org/a.jpg"}, True),
        ([1, ["mild", {"value": [{"path": "http://a.b"}]}]], True),
        ({"path": "/tmp/a.jpg", "url": "http://127.0.0.1:7860/gradio_api/file=/tmp/a.jpg"}, False),
        ({"path": "/tmp/http:/a.jpg"}, False),
        ({"path": None}, False),
        (["http://example.org", 1.0, None], False),
    ],
)
def test_files_named_by_an_address_are_found(value: object, named: bool) -> None:
    assert names_an_address(value) is named


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """Another server's address, and what it was asked for; gradio takes it for a public host."""
    safehttpx = pytest.importorskip("safehttpx")
    asked: list[str] = []

    class Photo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            self.wfile.write(PHOTO.read_bytes())

        def log_message(self, *_: object) -> None: ...

    async def public(host: str) -> str:
        return host

    monkeypatch.setattr(safehttpx, "async_validate_url", public)
    with HTTPServer(("127.0.0.1", 0), Photo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_gradio_itself_would_fetch(elsewhere: tuple[str, list[str]], tmp_path: Path) -> None:
    """That those below would know: what stops them is ours."""
    fetch = pytest.importorskip("gradio.processing_utils").async_ssrf_protected_download
    url, asked = elsewhere
    file = asyncio.run(fetch(f"{url}/a.jpg", str(tmp_path)))
    assert Path(file).read_bytes() == PHOTO.read_bytes() and asked == ["/a.jpg"]


@pytest.mark.parametrize("route", ["join", "call"])
@pytest.mark.parametrize("place", range(6))
def test_a_photo_named_by_an_address_is_not_fetched(
    address: str, elsewhere: tuple[str, list[str]], route: str, place: int
) -> None:
    """In each of the six inputs, of which only the first is a photo."""
    url, asked = elsewhere
    values = [None, *CHOSEN]
    values[place] = {"path": f"{url}/a.jpg"} | META
    answer = by_hand(address, route, values)
    assert '"error":"a photo has to be uploaded"' in answer or "event: error" in answer
    assert not asked and "glb" not in answer


@pytest.mark.parametrize("quoted", [False, True])
def test_the_server_is_nobodys_proxy(
    address: str, elsewhere: tuple[str, list[str]], quoted: bool
) -> None:
    url, asked = elsewhere
    named = quote(f"{url}/a.jpg", safe="") if quoted else f"{url}/a.jpg"
    for route in ("file=", "file/", "proxy="):
        status, _ = raw(address, f"/gradio_api/{route}{named}")
        assert status == 404 and not asked


@pytest.mark.parametrize("name", ["../../../over.jpg", "/etc/over.jpg", "..\\over.jpg", "a\nb"])
def test_an_uploads_name_leads_nowhere(address: str, name: str) -> None:
    import httpx
    from gradio.utils import get_upload_folder

    content = b"of " + name.encode()
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": (name, content)})
    folder = Path(get_upload_folder()).resolve()
    (path,) = map(Path, answer.json())
    assert path.read_bytes() == content
    assert path.resolve().parent.parent == folder and not list(folder.parent.glob("over*"))


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


@pytest.mark.parametrize("route", ["join", "call"])
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
    address: str, route: str, named: dict, said: str
) -> None:
    """What gradio's own client would upload first: here the request names a path on the server."""
    from gradio.utils import get_upload_folder

    places = {"FOLDER": get_upload_folder(), "OWN": address}
    for word, place in places.items():
        named = {k: v.replace(word, place) if k != "meta" else v for k, v in named.items()}
    answer = by_hand(address, route, [named, *CHOSEN])
    assert f'"error":"{said}"' in answer or f'"error":{said}' in answer
    assert "root:" not in answer and "glb" not in answer


def test_a_request_with_too_few_values_is_one_line(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert '"error":"/look takes 7 values, not 1"' in by_hand(address, "call", [None])
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("route", ["join", "call"])
def test_a_request_by_hand_for_what_was_uploaded_is_answered(address: str, route: str) -> None:
    import httpx

    with PHOTO.open("rb") as file:
        uploaded = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.jpg", file)})
    named = {"path": uploaded.json()[0]} | META
    answer = by_hand(address, route, [named, *CHOSEN])
    assert '"error"' not in answer and f"a-{QUICK}.glb" in answer


def by_hand(address: str, route: str, values: list) -> str:
    """The server's whole answer to a photo and choices, without spaces."""
    import httpx

    api = f"{address}/gradio_api"
    call = dict(data=values, session_hash="byhand")
    if route == "call":
        number = httpx.post(f"{api}/call/look", json=call).json()["event_id"]
        answer = httpx.get(f"{api}/call/look/{number}", timeout=60)
    else:
        calls = httpx.get(f"{address}/config").json()["dependencies"]
        (number,) = [one["id"] for one in calls if one["api_name"] == "look"]
        httpx.post(f"{api}/queue/join", json=call | dict(fn_index=number)).raise_for_status()
        answer = httpx.get(f"{api}/queue/data", params=dict(session_hash="byhand"), timeout=60)
    return answer.text.replace('": ', '":')


def test_answers_forbid_other_hosts(address: str) -> None:
    import httpx

    answer = httpx.get(address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy and "*" not in policy
    assert "fonts.googleapis.com" not in answer.text.split("window.gradio_config")[0]
    theme = httpx.get(f"{address}/theme.css").text
    assert "@import" not in theme and "url(http" not in theme.replace("'", "").replace('"', "")
