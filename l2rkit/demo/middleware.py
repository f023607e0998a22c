"""Restricts gradio's server to the paths that the page and its clients need.

gradio has many more paths, and new versions add some. Some fetch any URL in a request from public
hosts, and one passes recordings to ffmpeg. All paths that are not listed here are refused.
"""

import json
import os
import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any

# Everything comes from this server; browsers load nothing from others.
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ADDRESS = re.compile("(?i:https?:)")
OPEN = re.compile(  # decoded paths
    r"/((config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?"
    r"|(static|assets)/.+"
    r"|gradio_api/(info|upload|upload_progress|startup-events|cancel|reset|heartbeat/[^/]+"
    rf"|queue/(join|data)|run/predict|call/look(/[^/]+)?|file=(?!{ADDRESS.pattern}).+))?",
    re.DOTALL,
)


UPLOAD = "/gradio_api/upload"
LARGEST_UPLOAD = 20_000_000 + 2**16  # bytes, including the form around the file
LARGEST_CALL = 2**20  # bytes of any other request
MOST_KEPT = 400_000_000  # bytes of all uploads; old ones are deleted


class OpenPathsOnly:
    """ASGI middleware that checks each request and adds `HEADERS` to each response.

    A request's path must match `OPEN`, and its host be one of `hosts` (None: any). Its body has a
    limited size, and all uploads in `folder` together, too.
    """

    def __init__(
        self, app: Any, hosts: Collection[str] | None = None, folder: str | None = None
    ) -> None:
        self.app, self.hosts, self.folder = app, hosts, folder
        self.coming = 0  # bytes of uploads under way

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        begun = False

        async def with_headers(message: dict) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                message = dict(message, headers=[*message.get("headers", []), *own])
            await send(message)

        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = {key.lower(): value for key, value in scope.get("headers", [])}
        length = body_length(scope, headers)
        if why := self.refusal(scope, headers, length):
            return await answered(*why, with_headers)
        is_upload = scope["path"] == UPLOAD
        self.coming += length * is_upload
        try:
            await self.app(scope, receive, with_headers)
        except Exception:
            if not is_upload or begun:
                raise
            await answered(400, "that is no upload of a photo with a name", with_headers)
        finally:
            self.coming -= length * is_upload

    def refusal(self, scope: dict, headers: dict, length: int) -> tuple[int, str] | None:
        """The status and message of the response to a refused request; None if it is allowed."""
        path, host = scope["path"], headers.get(b"host", b"").decode("latin1")
        if self.hosts is not None and host_name(host) not in self.hosts:
            return 421, "this page is not served under that name"  # against DNS rebinding
        if not OPEN.fullmatch(path):
            return 404, "Not Found"
        if length < 0:
            return 411, "expected a length"
        if length > (LARGEST_UPLOAD if path == UPLOAD else LARGEST_CALL):
            return 413, "that is too large"
        is_kept = path == UPLOAD and self.folder is not None
        if is_kept and size_of(self.folder) + self.coming + length > MOST_KEPT:
            return 507, "the page holds as many photos as it can: try again in an hour"
        return None


def body_length(scope: dict, headers: dict[bytes, bytes]) -> int:
    """The stated length of a request's body in bytes; -1 if it may have one and states none."""
    said = headers.get(b"content-length")
    if said is None:
        has_one = b"transfer-encoding" in headers or scope.get("method", "GET") == "POST"
        return -1 if has_one else 0
    return int(said) if said.isdigit() else -1


def host_name(host: str) -> str:
    """The name in a Host header, without the port, in lower case."""
    return re.sub(r":\d*$", "", host).lower()


def size_of(folder: str) -> int:
    """Bytes of all files below a folder; files may be deleted meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size
    return total


async def answered(status: int, words: str, send: Any) -> None:
    """Sends a refusal in gradio's format."""
    body = json.dumps({"detail": words}).encode()
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": body})


def names_an_address(value: Any) -> bool:
    """Whether a request's values (JSON) contain a file with a URL as its path."""
    if isinstance(value, dict):
        here = isinstance(path := value.get("path"), str) and ADDRESS.match(path.strip())
        return bool(here) or any(map(names_an_address, value.values()))
    return isinstance(value, list) and any(map(names_an_address, value))
