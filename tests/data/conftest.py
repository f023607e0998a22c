"""What tests of heads share."""

import pytest

from l2rkit.data.heads import HeadModel


@pytest.fixture(scope="session")
def model() -> HeadModel:
    return HeadModel.load()
