"""What all tests share: quick collections of garbage."""

import gc


def pytest_collection_finish() -> None:
    """What has been imported by now stays: collections, of which each dataset does one, skip it."""
    gc.collect()
    gc.freeze()
