"""The area under the ROC curve on scores with a known order."""

import pytest
import torch

from tools.analysis.identity_pairs import roc_area


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    same, others = torch.tensor([0.9, 0.5]), torch.tensor([0.1, 0.5, 0.7])
    assert roc_area(same, others) == pytest.approx((3 + 1.5) / 6)
    assert roc_area(same, same - 1) == 1 and roc_area(same - 1, same) == 0
