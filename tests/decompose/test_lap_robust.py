"""RobustLAPDecomposer finds outliers in a set, and changes nothing without any."""

import numpy as np
import pytest
import torch

from l2rkit.decompose import LAPDecomposer, RobustLAPDecomposer
from l2rkit.decompose.lap_robust import excess_distance


def pair(seed=0):
    """The same weights, as published and robust."""
    torch.manual_seed(seed)
    plain = LAPDecomposer(32, 8, 8)
    robust = RobustLAPDecomposer(32, 8, 8)
    robust.load_state_dict(plain.state_dict())
    return plain.eval(), robust.eval()


def photos(count, seed=0):
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def test_strangeness_by_hand():
    code = torch.tensor([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [9.0, 0.0]])
    # the median is 0; distances over the root of two are 1, 1, 1, 1, 9, so the usual one is 1
    assert excess_distance(code).tolist() == pytest.approx([0, 0, 0, 0, 8])
    assert excess_distance(3 * code + 7).tolist() == pytest.approx([0, 0, 0, 0, 8], abs=1e-5)


def test_strangeness_against_numpy():
    code = torch.randn(7, 12, generator=torch.Generator().manual_seed(1))
    c = code.numpy()
    far = np.sqrt(np.mean((c - np.median(c, axis=0)) ** 2, axis=1))
    expected = np.maximum(far / np.median(far) - 1, 0)
    np.testing.assert_allclose(excess_distance(code), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_photos_come_out_as_published(count):
    plain, robust = pair()
    person = torch.zeros(count, dtype=torch.long)
    with torch.no_grad():
        a, b = (part(photos(count), person) for part in (plain, robust))
    assert torch.equal(a.depth, b.depth) and torch.equal(a.albedo, b.albedo)


def test_equal_photos_count_alike():
    same = photos(1).expand(4, -1, -1, -1)
    torch.testing.assert_close(pair()[1].shares(same, torch.zeros(4)), torch.ones(4))


def test_the_odd_one_out_loses_its_weight_and_other_people_keep_theirs():
    plain, robust = pair()
    near = photos(1) + 0.02 * torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    odd = torch.cat([near.clamp(0, 1), 1 - photos(1)])
    others = photos(2, seed=5)
    person = torch.tensor([4, 4, 4, 4, 4, 7, 7])
    a, b = (part.shares(torch.cat([odd, others]), person) for part in (plain, robust))
    far = excess_distance(robust.albedo.encode(odd * 2 - 1)[0])
    assert far.argmax() == 4 and far[4] > 1
    assert b[4] < 0.1 < 0.7 < a[4]
    assert torch.equal(a[5:], b[5:])
    assert b[:5].sum().item() == pytest.approx(5, rel=1e-5)


def test_gradients_reach_all_networks():
    part = pair()[1].train()
    face = part(photos(3), torch.zeros(3))
    (face.depth.sum() + face.albedo.sum()).backward()
    missing = [
        name
        for name, weight in part.named_parameters()
        if weight.grad is None and name.startswith(("depth", "albedo", "refine"))
    ]
    assert missing == []
