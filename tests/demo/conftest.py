"""The page on a free port, if gradio is installed."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    pytest.importorskip("gradio")
    from l2rkit.demo.serving import served

    with served(port=free_port()) as url:
        yield url


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
