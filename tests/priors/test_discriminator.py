"""The discriminator against its slow published definition, with groups and conditions."""

import math
from itertools import pairwise

import pytest
import torch
from published_stylegan2 import TAPS, activate, correlate, upfirdn
from torch.nn.functional import pad

from l2rkit.errors import PartError
from l2rkit.losses import MobileNetFeatures
from l2rkit.ops.gradients import frozen, input_gradient
from l2rkit.priors import ProjectedDiscriminator, StyleGAN2Discriminator
from l2rkit.priors.discriminator import minibatch_stddev

close = dict(atol=1e-5, rtol=1e-4)


def made(**changed):
    torch.manual_seed(0)
    net = StyleGAN2Discriminator(**{**dict(size=32, width=0.01), **changed})
    for name, weight in net.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weight)
    return net


def convolved(state, name, x, stride=1, margin=0):
    weight = state[f"{name}.weight"]
    weight = weight / math.sqrt(weight[0].numel())
    x = torch.stack([correlate(pad(one, [margin] * 4), weight, stride) for one in x])
    bias = state.get(f"{name}.bias")
    return x if bias is None else x + bias[None, :, None, None]


def dense(state, name, x):
    weight = state[f"{name}.weight"]
    return x @ weight.T / math.sqrt(weight.shape[1]) + state[f"{name}.bias"]


def published(state, image, group=4):
    """Karras et al., table 1 (config F) and appendix B, for images in [0, 1]."""
    x = activate(convolved(state, "first", 2 * image - 1))
    block = 0
    while f"blocks.{block}.conv1.weight" in state:
        name = f"blocks.{block}"
        skip = convolved(state, f"{name}.skip", upfirdn(x, TAPS, before=1, after=1), stride=2)
        x = activate(convolved(state, f"{name}.conv1", x, margin=1))
        x = convolved(state, f"{name}.conv2", upfirdn(x, TAPS, before=2, after=2), stride=2)
        x, block = (activate(x) + skip) / math.sqrt(2), block + 1
    number = torch.zeros(len(x), 1, 4, 4)
    for start in range(len(x) // group):
        members = list(range(start, len(x), len(x) // group))
        apart = x[members] - x[members].mean(0)
        number[members] = (apart.square().mean(0) + 1e-8).sqrt().mean()
    x = activate(convolved(state, "last", torch.cat([x, number], 1), margin=1))
    x = activate(dense(state, "dense", x.flatten(1)))
    return dense(state, "score", x)[:, 0], x


@pytest.mark.parametrize("batch", [4, 8])
def test_scores_are_the_published_ones(batch):
    net, image = made(), torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    score, _ = published(net.state_dict(), image)
    assert score.std() > 0
    torch.testing.assert_close(net(image), score, **close)


def test_a_condition_adds_its_projection():
    net, view = made(condition=6), torch.randn(4, 6)
    image = torch.rand(4, 3, 32, 32)
    state = net.state_dict()
    score, last = published(state, image)
    projected = (last * dense(state, "project", view)).sum(1) / math.sqrt(last.shape[1])
    torch.testing.assert_close(net(image, view), score + projected, **close)


@pytest.mark.parametrize("size, multiplier, parameters", [(1024, 2, 29_012_513), (256, 1, None)])
def test_the_published_number_of_parameters(size, multiplier, parameters):
    """29 012 513 is also the total that the official program prints for config F at 1024 px."""
    channels = [min(512, 16384 * multiplier // (size >> n)) for n in range(size.bit_length() - 2)]
    total = 3 * channels[0] + channels[0]
    for cin, cout in pairwise(channels):
        total += cin * cin * 9 + cin + cin * cout * 9 + cout + cin * cout
    total += 513 * 512 * 9 + 512 + 512 * 16 * 512 + 512 + 512 + 1
    with torch.device("meta"):
        net = StyleGAN2Discriminator(size, multiplier=multiplier)
    assert sum(weight.numel() for weight in net.parameters()) == total
    assert parameters in (None, total)


def test_the_spread_of_a_group_is_its_standard_deviation():
    one = torch.zeros(4, 2, 4, 4)
    one[2:] = 2  # values 0, 0, 2, 2: a deviation of 1 about their mean
    torch.testing.assert_close(minibatch_stddev(one), torch.ones(4, 1, 4, 4))
    pair = torch.cat([one[[0, 0]], one[[2, 2]], one[[2, 2]]])  # of 6, groups of 3: 0, 2, 2 twice
    torch.testing.assert_close(minibatch_stddev(pair), torch.full((6, 1, 4, 4), math.sqrt(8) / 3))
    assert (minibatch_stddev(torch.rand(1, 2, 4, 4)) < 1e-3).all(), (
        "alone there is nothing to differ from"
    )
    assert (minibatch_stddev(torch.rand(7, 2, 4, 4)) < 1e-3).all(), "seven do not make equal groups"


def test_the_gradient_penalty_has_a_gradient():
    """R1 (Mescheder et al., ICML 2018): the gradient by the image is differentiable itself."""
    net = made().double()
    image = torch.rand(2, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    (input_gradient,) = torch.autograd.grad(net(image).sum(), image, create_graph=True)
    penalty = input_gradient.square().sum((1, 2, 3)).mean()
    weight = net.blocks[1].conv2.weight
    (got,) = torch.autograd.grad(penalty, weight)
    step = torch.zeros_like(weight)
    step[0, 0, 1, 1] = 1e-5

    def at(sign):
        with torch.no_grad():
            weight.add_(sign * step)
        (input_gradient,) = torch.autograd.grad(net(image).sum(), image)
        with torch.no_grad():
            weight.sub_(sign * step)
        return input_gradient.square().sum((1, 2, 3)).mean()

    expected = (at(1) - at(-1)) / 2e-5
    torch.testing.assert_close(got[0, 0, 1, 1], expected, atol=1e-9, rtol=1e-4)


@pytest.mark.parametrize(
    "changed, arguments, text",
    [
        ({}, [torch.rand(2, 3, 16, 16)], r"images are \(B, 3, 32, 32\), not \(B, 3, 16, 16\)"),
        ({}, [torch.rand(2, 3, 32, 32), torch.rand(2, 6)], r"condition is None, not \(2, 6\)"),
        ({"condition": 6}, [torch.rand(2, 3, 32, 32)], r"condition is \(2, 6\), not None"),
        ({"size": 33}, [], "size is one of 32"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(changed, arguments, text):
    with pytest.raises(PartError, match=text):
        made(**changed)(*arguments)


def projected(**options):
    torch.manual_seed(0)
    return ProjectedDiscriminator(features=MobileNetFeatures(), width=8, **options)


def test_a_projected_score_is_the_sum_of_each_sizes_mean():
    net, image = projected(sizes=2), torch.rand(3, 3, 64, 64)
    x = activate(net.first(net.features(image)))
    expected = net.score[0](x).mean((1, 2, 3))
    expected = expected + net.score[1](activate(net.down[0](x))).mean((1, 2, 3))
    assert torch.allclose(net(image), expected, **close)
    assert torch.allclose(net(image[1:2]), expected[1:2], **close)  # no photo looks at another


def test_a_projected_condition_adds_its_projection_and_nothing_else_is_taken():
    net, image, said = projected(condition=6), torch.rand(2, 3, 64, 64), torch.randn(2, 6)
    x = activate(net.first(net.features(image)))
    for down in net.down:
        x = activate(down(x))
    added = (x.mean((2, 3)) * net.project(said)).sum(1) / math.sqrt(8)
    plain = projected(condition=0)
    plain.load_state_dict(net.state_dict(), strict=False)
    assert torch.allclose(net(image, said), plain(image) + added, **close)
    with pytest.raises(PartError, match=r"condition is \(2, 6\), not None"):
        net(image)
    with pytest.raises(PartError, match=r"condition is None, not \(2, 6\)"):
        plain(image, said)


def test_what_a_projected_discriminator_sees_with_stays_as_it_is():
    net, image = projected(), torch.rand(2, 3, 64, 64)
    before = [weight.clone() for weight in net.features.parameters()]
    with frozen(torch.nn.ModuleDict({"discriminator": net})):  # as an adversary that has one
        assert not any(weight.requires_grad for weight in net.parameters())
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    (
        net(image).sum() + input_gradient(net(image.requires_grad_()), image).square().sum()
    ).backward()
    optimizer.step()
    assert all(map(torch.equal, net.features.parameters(), before))
    learnt = [weight.grad for weight in net.score.parameters()] + [net.first.weight.grad]
    assert all(grad is not None and grad.abs().sum() > 0 for grad in learnt)


def test_a_projected_discriminator_soon_separates_sharp_from_enlarged():
    """At the published one's rate; which is why it is there."""
    net = projected()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.0, 0.99))
    noise = torch.Generator().manual_seed(1)
    for _ in range(40):
        sharp = torch.rand(8, 3, 32, 32, generator=noise)
        soft = torch.nn.functional.avg_pool2d(sharp, 3, stride=1, padding=1)
        right, wrong = net(sharp), net(soft)
        loss = torch.nn.functional.softplus(torch.cat([-right, wrong])).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (right > 0).all() and (wrong < 0).all()


def test_the_features_of_a_projected_discriminator_do_not_learn_statistics() -> None:
    torch.manual_seed(0)
    features = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    part = ProjectedDiscriminator(features=features, width=8, sizes=1)
    before = {name: value.clone() for name, value in features.state_dict().items()}
    photo = torch.rand(2, 3, 16, 16)
    assert torch.equal(part.train()(photo), part.eval()(photo))
    assert part.train().training and not part.features.training
    assert all(torch.equal(before[name], value) for name, value in features.state_dict().items())
