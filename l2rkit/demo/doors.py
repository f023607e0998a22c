"""What of gradio's server is open: the addresses that the page and its clients need, no other.

gradio has many more, with every version: some fetch what anybody names from public hosts, one gives
recordings to ffmpeg. Here whatever is not named is shut.
"""

import json
import re
from typing import Any

# All comes from this server, and a browser asks no other for anything.
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
OPEN = re.compile(  # paths as they are after decoding
    r"/((config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?"
    r"|(static|assets)/.+"
    r"|gradio_api/(info|upload|upload_progress|startup-events|cancel|reset|heartbeat/[^/]+"
    rf"|queue/(join|data)|run/predict|call/look(/[^/]+)?|file=(?!{ADDRESS.pattern}).+))?",
    re.DOTALL,
)


class Doors:
    """An ASGI app with `HEADERS` added to each answer, and 404 for paths that are not `OPEN`."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        async def with_headers(message: dict) -> None:
            if message["type"] == "http.response.start":
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
                message = dict(message, headers=[*message.get("headers", []), *own])
            await send(message)

        shut = scope["type"] == "http" and not OPEN.fullmatch(scope["path"])
        await (not_here if shut else self.app)(scope, receive, with_headers)


async def not_here(scope: dict, receive: Any, send: Any) -> None:
    """404, in the words of gradio's own."""
    body = json.dumps({"detail": "Not Found"}).encode()
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 404, "headers": kind})
    await send({"type": "http.response.body", "body": body})


def names_an_address(value: Any) -> bool:
    """Whether a file in a request's values (JSON) is one to be fetched from elsewhere."""
    if isinstance(value, dict):
        here = isinstance(path := value.get("path"), str) and ADDRESS.match(path.strip())
        return bool(here) or any(map(names_an_address, value.values()))
    return isinstance(value, list) and any(map(names_an_address, value))
