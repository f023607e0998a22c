"""LAP's networks against the published ones, and the effect of sets of photos."""

from dataclasses import fields

import pytest
import torch
from published_lap import aggregated, refined

from l2rkit.decompose import LAPDecomposer, lap
from l2rkit.ops.groups import softmax_within, sum_within
from l2rkit.testing import check_decomposer

CLOSE = dict(atol=1e-5, rtol=0)


def small(size=32, seed=0, **options):
    """A narrow decomposer whose weights are far enough from zero that photos matter."""
    torch.manual_seed(seed)
    part = LAPDecomposer(size, 8, 8, **options)
    with torch.no_grad():
        for weight in part.parameters():
            if weight.dim() > 1:
                weight.mul_(2)
    return part.eval()


def photos(count, size=32, seed=0):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def parts(face):
    """All tensors of a face by name."""
    shared, light = face.consistent, face.light.packed()
    return dict(
        depth=face.depth,
        albedo=face.albedo,
        view=face.view,
        light=light,
        shared_depth=shared.depth,
        shared_albedo=shared.albedo,
    )


def assert_same(face, other, rows=slice(None)):
    for (name, a), b in zip(parts(face).items(), parts(other).values()):
        torch.testing.assert_close(a, b[rows], **CLOSE, msg=lambda text, name=name: name + text)


def test_keeps_the_contract_without_refinement():
    """With it, and the robust one: tests/test_contracts.py."""
    check_decomposer(LAPDecomposer(32, 8, 8, refined=False), 32)


# The published networks


def test_parameter_counts_are_the_published_ones():
    with torch.device("meta"):
        part = LAPDecomposer(confidence=False)
    counts = {
        name: sum(weight.numel() for weight in net.parameters())
        for name, net in part.named_children()
    }
    assert counts == dict(
        depth=30_661_952,  # 30.7 M
        albedo=30_665_152,
        refine_depth=39_903_488,  # 39.9 M
        refine_albedo=39_908_736,
        light=1_755_648,  # 1.76 M
        view=1_756_160,
    )
    assert sum(counts.values()) == 144_651_136  # 144.7 M


@pytest.mark.parametrize("width", [8, 16])
def test_networks_are_the_published_ones(width):
    """By hand, from the weights' names, one photo after the other: sets of 3 and 1."""
    torch.manual_seed(0)
    part = LAPDecomposer(128, width, 8, corner=(20, 15)).eval()
    photo, groups = photos(4, 128), width // 4
    signed, person = photo * 2 - 1, torch.tensor([5, 9, 5, 5])
    with torch.no_grad():
        face = part(photo, person)
    states = {name: net.state_dict() for name, net in part.named_children()}
    shared = {
        who: [
            aggregated(states[name], signed[person == who], groups) for name in ("depth", "albedo")
        ]
        for who in (5, 9)
    }
    for row in range(4):
        raw, colour = shared[person[row].item()]
        raw = refined(states["refine_depth"], raw, signed[row : row + 1], groups)
        t = (raw - raw.mean()).tanh()[0, 0]
        depth = (1 + t) / 2 * 1.1 + (1 - t) / 2 * 0.9
        depth[:, :2] = depth[:, -2:] = depth[-20:, :15] = 1.05
        torch.testing.assert_close(face.depth[row, 0], depth, **CLOSE)
        torch.testing.assert_close(face.consistent.albedo[row], colour[0].tanh() / 2 + 0.5, **CLOSE)
        albedo = refined(states["refine_albedo"], colour.tanh(), signed[row : row + 1], groups)
        torch.testing.assert_close(face.albedo[row], albedo[0].tanh() / 2 + 0.5, **CLOSE)


def test_the_first_stage_of_the_photos_encoder_has_two_channels_a_group():
    with torch.device("meta"):
        part = LAPDecomposer()
    first, second = (part.refine_depth.network_inject[i] for i in (1, 4))
    assert (first.num_groups, first.num_channels) == (16, 32)
    assert (second.num_groups, second.num_channels) == (16, 64)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_sizes_ranges_and_border(size):
    part = small(size)
    with torch.no_grad():
        face = part(photos(2, size), torch.tensor([1, 1]))
        part.corner = (3, 5)
        cornered = part(photos(1, size)).depth
        part.border_depth = None
        free = part(photos(1, size)).depth
    columns = max(1, size // 64)
    side = torch.tensor(1.05)
    for depth in (face.depth, face.consistent.depth):
        assert depth.shape == (2, 1, size, size) and depth.min() >= 0.9 and depth.max() <= 1.1
        assert (depth[..., :columns] == side).all() and (depth[..., -columns:] == side).all()
        assert not (depth[..., columns] == side).any()
        assert not (depth[..., -columns - 1] == side).any()
    assert (cornered[..., -3:, :5] == side).all()
    assert not (cornered[..., -4, columns] == side).any() and not (free == side).any()
    assert face.albedo.min() >= 0 and face.albedo.max() <= 1 and face.confidence is None


# Sets of photos


def test_softmax_and_sum_against_a_loop_over_people():
    torch.manual_seed(0)
    logits, values = torch.randn(9, 5) * 30, torch.randn(9, 5)
    group = torch.tensor([2, 0, 2, 2, 1, 0, 2, 1, 2])
    got = softmax_within(logits, group, 3)
    total = sum_within(got * values, group, 3)
    for who in range(3):
        rows = group == who
        torch.testing.assert_close(got[rows], logits[rows].softmax(0))
        torch.testing.assert_close(total[who], (logits[rows].softmax(0) * values[rows]).sum(0))


def test_softmax_passes_the_gradient_of_the_loop():
    torch.manual_seed(0)
    group = torch.tensor([1, 0, 1, 1])
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: softmax_within(x, group, 2), logits)


def test_a_photo_without_weight_has_no_influence():
    """Logits of -inf, and at the networks: one that all others exceed by far."""
    logits = torch.tensor([[1.0], [-torch.inf], [2.0], [7.0]])
    group = torch.tensor([0, 0, 0, 1])
    got = softmax_within(logits, group, 2)
    without = softmax_within(logits[[0, 2, 3]], group[[0, 2, 3]], 2)
    assert got[1] == 0 and torch.equal(got[[0, 2, 3]], without)

    part, photo = small(refined=False), photos(3)
    for net in (part.depth, part.albedo):
        encode = net.encode
        net.encode = lambda x, encode=encode: suppressed(*encode(x))

    def suppressed(code, logits):
        return code, logits - 1e4 * (torch.arange(len(code)) == 1)[:, None]

    with torch.no_grad():
        face = part(photo, torch.tensor([0, 0, 0]))
        photo[1] = photo[1].flip(-1) * 0.3  # whatever it shows
        other = part(photo, torch.tensor([0, 0, 0]))
        shares = part.shares(photo, torch.tensor([0, 0, 0]))
    torch.testing.assert_close(face.depth, other.depth, atol=0, rtol=0)
    assert shares[1] == 0 and shares[[0, 2]].sum().item() == pytest.approx(3, rel=1e-5)


def test_photos_of_a_set_matter():
    part, photo = small(), photos(2)
    with torch.no_grad():
        alone, together = part(photo), part(photo, torch.tensor([3, 3]))
    change = (alone.consistent.albedo - together.consistent.albedo).abs().amax((1, 2, 3))
    assert (change > 1e-3).all()
    assert torch.equal(together.consistent.depth[0], together.consistent.depth[1])
    assert not torch.equal(together.depth[0], together.depth[1])
    torch.testing.assert_close(alone.view, together.view)  # of one photo's own


def test_order_of_the_batch_does_not_matter():
    part, photo = small(), photos(6)
    person = torch.tensor([7, 1, 7, 7, 2, 1])
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    with torch.no_grad():
        assert_same(part(photo[order], person[order]), part(photo, person), order)
        shares = part.shares(photo, person)
        torch.testing.assert_close(part.shares(photo[order], person[order]), shares[order])


def test_alone_is_a_set_of_one():
    part, photo = small(), photos(3)
    with torch.no_grad():
        assert_same(part(photo), part(photo, torch.tensor([20_000_000, 4, 9])))
        assert_same(part(photo[1:2]), part(photo), slice(1, 2))
    torch.testing.assert_close(part.shares(photo), torch.ones(3))


def test_people_of_one_batch_do_not_touch_each_other():
    """Sets of 1, 2 and 4 photos, mixed, equal each alone."""
    part, photo = small(), photos(7)
    person = torch.tensor([8, 3, 8, 5, 8, 3, 8])
    with torch.no_grad():
        face = part(photo, person)
        for who in (3, 5, 8):
            rows = person == who
            assert_same(part(photo[rows], person[rows]), face, rows)


def test_shares_are_mean_weights_times_the_photos():
    part, photo = small(), photos(5)
    person = torch.tensor([0, 1, 0, 0, 1])
    shares = part.shares(photo, person)
    with torch.no_grad():
        logits = torch.cat([net.encode(photo * 2 - 1)[1] for net in (part.depth, part.albedo)], 1)
    for who in (0, 1):
        rows = person == who
        expected = logits[rows].softmax(0).mean(1) * rows.sum()
        torch.testing.assert_close(shares[rows], expected)
        assert shares[rows].sum().item() == pytest.approx(rows.sum().item(), rel=1e-5)
    assert not shares.requires_grad and shares.std() > 1e-3


def test_equal_photos_share_equally():
    torch.testing.assert_close(small().shares(photos(1).expand(4, -1, -1, -1)), torch.ones(4))


@pytest.mark.parametrize("person", [None, torch.zeros(7, dtype=torch.int64)])
def test_chunks_change_nothing_and_bound_what_the_networks_see(monkeypatch, person):
    part, photo = small(), photos(7)
    with torch.no_grad():
        whole = part(photo, person)
    monkeypatch.setattr(lap, "CHUNK", 3)
    most = []
    for net in (part.depth.network1, part.refine_albedo.network_inject[0], part.view.network[0]):
        net.register_forward_hook(lambda net, given, made: most.append(len(given[0])))
    with torch.no_grad():
        assert_same(part(photo, person), whole)
    assert sorted(most) == [1] * 3 + [3] * 6
    most.clear()
    part(photo, person)
    assert most == [7] * 3  # training needs them all at once


# Training


def test_gradient_reaches_every_weight_in_its_stage():
    part, photo = small().train(), photos(4)
    for refine in (True, False):
        part.refined = refine
        part.zero_grad(set_to_none=True)
        face = part(photo, torch.tensor([0, 0, 1, 1]))
        total = sum(value.square().sum() for value in parts(face).values() if value.requires_grad)
        confidence = face.confidence
        (total + confidence.pixel.square().sum() + confidence.feature.square().sum()).backward()
        for name, weight in part.named_parameters():
            if refine or not name.startswith("refine_"):
                assert weight.grad is not None and weight.grad.abs().sum() > 0, name
            else:
                assert weight.grad is None, name


def test_unrefined_is_what_the_set_shares():
    part, photo = small(), photos(3)
    person = torch.tensor([0, 0, 1])
    with torch.no_grad():
        face = part(photo, person)
        part.refined = False
        shared = part(photo, person)
    for name in ("depth", "albedo"):
        torch.testing.assert_close(getattr(shared, name), getattr(face.consistent, name))
        assert torch.equal(getattr(shared, name), getattr(shared.consistent, name))
        assert not torch.allclose(getattr(shared, name), getattr(face, name), atol=1e-3)


def test_the_mirrored_face_mirrors_what_is_shared():
    face = small()(photos(2))
    twice = face.mirrored().mirrored()
    assert torch.equal(face.mirrored().consistent.depth, face.consistent.depth.flip(-1))
    assert all(
        torch.equal(getattr(twice.consistent, f.name), getattr(face.consistent, f.name))
        for f in fields(face.consistent)
    )


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (1, 1, 32, 32), (3, 32, 32)])
def test_a_photo_of_another_size_is_refused(shape):
    with pytest.raises(ValueError, match=r"LAPDecomposer expects photos \(B, 3, 32, 32\), not \("):
        small()(torch.rand(shape))


def test_a_missing_person_and_an_unknown_size_are_errors():
    with pytest.raises(ValueError, match=r"a person for each of 2 photos, not \(3,\)"):
        small()(photos(2), torch.tensor([0, 0, 1]))
    with pytest.raises(ValueError, match="take 32, 64 or 128 pixels, not 48"):
        LAPDecomposer(48)
