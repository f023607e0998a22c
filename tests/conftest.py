"""Settings of all tests: garbage collection and threads."""

import gc
import sys
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen() -> None:
    """What has been imported by now stays: collections, of which each dataset does one, skip it."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers compute in half precision where asked to, also on a processor that lacks it."""
    monkeypatch.setattr("l2rkit.ops.precision.cpu_computes_in", lambda kind: True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """A test that leaves torch more threads fails: in several processes they take long to meet."""
    torch = sys.modules.get("torch")
    before = torch and torch.get_num_threads()
    result = yield
    assert not torch or torch.get_num_threads() == before, "the threads of torch are others now"
    return result
