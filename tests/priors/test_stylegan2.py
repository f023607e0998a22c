"""The generator against its slow published definition."""

import pytest
import torch
from published_stylegan2 import CHANNELS, LATENT, TAPS, forward, mapped, tiny, upfirdn
from published_stylegan2 import modulated as published

from l2rkit.errors import PartError, WeightsError
from l2rkit.io.weights import own_state, write_weights
from l2rkit.priors import GrownStyleGAN2, StyleGAN2
from l2rkit.priors.layers import blur, enlarged, modulated, sft_modulated
from tools.benchmarks.prior import blur_at_once, by_groups, enlarged_at_once

close = dict(atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A community checkpoint's state and our generator with it."""
    path = tmp_path_factory.mktemp("weights") / "tiny.pt"
    state = tiny()
    mean = mapped(state, torch.randn(64, LATENT, generator=torch.Generator().manual_seed(1))).mean(
        0
    )
    torch.save({"g_ema": state, "latent_avg": mean}, path)
    return state, StyleGAN2(str(path)), mean


def in_range(image):
    return (image + 1) / 2


def each(w, layers=8):
    return w[:, None].expand(-1, layers, -1)


@pytest.mark.parametrize("kernel, up, demodulate", [(3, False, True), (3, True, True), (1, 0, 0)])
def test_one_convolution_for_the_batch_is_one_for_each_sample(kernel, up, demodulate):
    torch.manual_seed(0)
    x, style = torch.randn(3, 7, 6, 6), torch.randn(3, 7)
    weight = torch.randn(5, 7, kernel, kernel)
    got = modulated(x, weight, style, up, demodulate)
    torch.testing.assert_close(got, published(x, weight, style, up, demodulate), **close)
    for filtered in (blur, blur_at_once):
        grouped = by_groups(x, weight, style, up, demodulate, filtered)
        torch.testing.assert_close(got, grouped, **close)


@pytest.mark.parametrize("up", [False, True])
def test_its_gradients_and_theirs_are_right(up):
    torch.manual_seed(0)
    arguments = [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for shape in ((2, 3, 3, 3), (2, 3, 3, 3), (2, 3))
    ]
    assert torch.autograd.gradcheck(lambda *a: modulated(*a, up), arguments)
    assert torch.autograd.gradgradcheck(lambda *a: modulated(*a, up), arguments)


def test_filters_against_two_dimensional_loops():
    x = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    expected = upfirdn(x, 4 * TAPS, up=2, before=2, after=1)
    torch.testing.assert_close(enlarged(x), expected, **close)
    torch.testing.assert_close(enlarged_at_once(x), expected, **close)
    for margin, step in ((1, 2), (2, 1)):
        expected = upfirdn(x, TAPS, down=step, before=margin, after=margin)
        torch.testing.assert_close(blur(x, margin, step=step), expected, **close)
    torch.testing.assert_close(blur_at_once(x, 2), expected, **close)
    flat = enlarged(torch.ones(1, 1, 4, 4))[0, 0]
    assert (flat[1:-1, 1:-1] == 1).all() and flat[0, 0] == 9 / 16, "bilinear but at the rim"


@pytest.mark.parametrize("kind", ["z", "w", "w+", "truncated", "no noise"])
def test_images_and_features_are_the_published_ones(both, kind):
    state, ours, mean = both
    torch.manual_seed(2)
    z, codes = torch.randn(2, LATENT), torch.randn(2, 8, LATENT)
    w, noise = mapped(state, z), kind != "no noise"
    if kind == "z":
        got, codes = ours(z, clamp=False), each(w)
    elif kind == "w":
        got, codes = ours(w, space="w", clamp=False), each(w)
    elif kind == "truncated":
        got, codes = ours(z, truncation=0.7, clamp=False), each(mean + 0.7 * (w - mean))
    else:
        noises = "fixed" if noise else "none"
        got = ours(codes, space="w", noise=noises, clamp=False)
    image, features = forward(state, codes, noise)
    torch.testing.assert_close(got[0], in_range(image), **close)
    assert list(got[1]) == list(CHANNELS)
    for size, x in features.items():
        torch.testing.assert_close(got[1][size], x, **close)


def test_images_are_clamped_by_default(both):
    _, ours, _ = both
    z = torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))
    free, kept = ours(z, clamp=False)[0], ours(z)[0]
    assert free.min() < 0 and free.max() > 1
    assert torch.equal(kept, free.clamp(0, 1))


def test_styles_are_mixed_by_codes_of_each_layer(both):
    """Early layers of one, late layers of the other: what is coarse stays."""
    _, ours, _ = both
    a, b = torch.randn(2, 1, LATENT, generator=torch.Generator().manual_seed(0))
    mixed = torch.cat([each(a, 3), each(b, 5)], 1)
    _, features = ours(mixed)
    _, of_a = ours(a)
    torch.testing.assert_close(features[8], of_a[8], **close)
    assert (features[16] - of_a[16]).abs().max() > 0.1


def test_maps_steer_between_the_two_convolutions_of_a_size(both):
    state, ours, _ = both
    torch.manual_seed(0)
    codes = torch.randn(2, 8, LATENT)
    half = {8: (torch.rand(2, 2, 8, 8), torch.randn(2, 2, 8, 8))}
    all_of = {16: (torch.rand(2, 4, 16, 16), torch.randn(2, 4, 16, 16))}
    padded = torch.cat([torch.ones(2, 3, 8, 8), half[8][0]], 1)
    shifted = torch.cat([torch.zeros(2, 3, 8, 8), half[8][1]], 1)
    image, _ = forward(state, codes, maps={8: (padded, shifted), **all_of})
    got, _ = ours(codes, space="w", maps={**half, **all_of}, clamp=False)
    torch.testing.assert_close(got, in_range(image), **close)
    plain, _ = ours(codes, space="w", clamp=False)
    still = {8: (torch.ones(2, 2, 8, 8), torch.zeros(2, 2, 8, 8))}
    torch.testing.assert_close(ours(codes, space="w", maps=still, clamp=False)[0], plain, **close)


def test_steering_keeps_the_first_channels():
    x = torch.arange(4.0).reshape(1, 4, 1, 1)
    two = torch.full((1, 2, 1, 1), 2.0)
    assert sft_modulated(x, (two, two + 1)).flatten().tolist() == [0, 1, 7, 9]


def test_a_frozen_prior_passes_gradients_to_codes_and_maps(both):
    _, ours, _ = both
    assert not any(weight.requires_grad for weight in ours.parameters())
    codes = torch.randn(1, 8, LATENT).requires_grad_()
    maps = torch.ones(1, 5, 8, 8).requires_grad_(), torch.zeros(1, 5, 8, 8).requires_grad_()
    ours(codes, space="w", maps={8: maps}, clamp=False)[0].square().sum().backward()
    for leaf in (codes, *maps):
        assert leaf.grad.abs().sum() > 0
    assert (codes.grad.abs().sum((0, 2)) > 0).all(), "each layer's code counts"


def test_the_gradient_by_w_has_a_gradient():
    """Path length regularisation (Karras et al., CVPR 2020, eq. 4) differentiates a gradient."""
    ours = StyleGAN2(size=32, width=0.01, latent=LATENT, frozen=False).double()
    codes = torch.randn(2, 8, LATENT, dtype=torch.float64, requires_grad=True)
    image, _ = ours(codes, space="w", clamp=False)
    (slope,) = torch.autograd.grad(
        (image * torch.randn_like(image)).sum(), codes, create_graph=True
    )
    slope.square().sum().sqrt().backward()
    for name, weight in ours.blocks.named_parameters():
        unseen = name.endswith(("strength", "image.bias"))  # they add what does not hang on w
        assert unseen or (weight.grad is not None and weight.grad.abs().sum() > 0), name


def test_half_precision_comes_near(both):
    _, ours, _ = both
    z = torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))
    expected, _ = ours(z)
    with torch.autocast("cpu", torch.bfloat16):
        got, _ = ours(z)
    assert (got - expected).abs().mean() < 0.01


def test_random_noise_is_new_and_fixed_noise_is_not(both):
    _, ours, _ = both
    z = torch.randn(1, LATENT)
    assert torch.equal(ours(z)[0], ours(z)[0])
    assert not torch.equal(ours(z, noise="random")[0], ours(z, noise="random")[0])


def test_a_start_at_random_has_no_noise_yet_and_a_mean_of_its_own():
    torch.manual_seed(0)
    ours = StyleGAN2(size=32, width=0.02, latent=16, mapping=2)
    z = torch.randn(2, 16)
    assert torch.equal(ours(z, noise="random")[0], ours(z, noise="none")[0])
    mean = ours.mapping(torch.randn(4096, 16)).mean(0)
    assert (ours.mean_w - mean).abs().max() < 0.1
    assert all(w.requires_grad for w in StyleGAN2(size=32, width=0.02, frozen=False).parameters())


def counted(size, multiplier):
    """Parameters by the published layer list; noise has one strength for each convolution."""
    channels = {px: min(512, 16384 * multiplier // px) for px in (4 << n for n in range(9))}
    total = 8 * (512 * 512 + 512) + 512 * 4 * 4
    before = 512
    for px, own in channels.items():
        if px > size:
            break
        for cin in [before, own] if px > 4 else [own]:
            total += cin * 512 + cin + cin * own * 9 + 1 + own
        total += own * 512 + own + own * 3 + 3
        before = own
    return total


# 30 370 060 is also the total that the official program prints for config F at 1024 px.
@pytest.mark.parametrize(
    "size, multiplier, parameters",
    [(1024, 2, 30_370_060), (256, 2, 30_034_338), (256, 1, 24_767_458)],
)
def test_the_published_number_of_parameters(size, multiplier, parameters):
    with torch.device("meta"):
        ours = StyleGAN2(size=size, multiplier=multiplier)
    total = sum(weight.numel() for weight in ours.parameters())
    assert total == counted(size, multiplier) == parameters
    widths = {8: 512, 64: 256 * multiplier, 256: 64 * multiplier}
    assert {px: ours.blocks[str(px)].conv.weight.shape[0] for px in widths} == widths


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda g: g(torch.randn(2, 9)), r"latents are \(B, 8\) or \(B, 8, 8\), not \(2, 9\)"),
        (lambda g: g(torch.randn(2, 7, 8)), r"not \(2, 7, 8\)"),
        (lambda g: g(torch.randn(2, 8), space="x"), "space is of z, w"),
        (lambda g: g(torch.randn(2, 8), noise="some"), "noise of fixed, random, none, not 'z' and"),
        (lambda g: g(torch.randn(2, 8), maps={8: (torch.ones(2, 9, 8, 8),) * 2}), "up to 5, 8, 8"),
        (lambda g: g(torch.randn(2, 8), maps={64: (torch.ones(2, 1, 64, 64),) * 2}), "up to 0"),
        (lambda g: StyleGAN2(size=48), "size is one of 32, 64.* px, not 48"),
        (lambda g: StyleGAN2(size=1024, width=0.001), "width 0.001 leaves no channel at 1024 px"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(both, call, text):
    with pytest.raises(PartError, match=text) as caught:
        call(both[1])
    assert "\n" not in str(caught.value)


@pytest.fixture
def trained(tmp_path):
    """A file of ours, of 32 px, and the generator in it."""
    torch.manual_seed(0)
    prior = StyleGAN2(size=32, width=0.05, latent=16, mapping=2)
    write_weights(own_state(prior), tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors", prior


def test_a_grown_prior_begins_with_the_images_it_knows_enlarged(trained):
    path, prior = trained
    grown, z = GrownStyleGAN2(str(path), size=128), torch.randn(2, 16)
    small, features = prior(z, clamp=False)
    image, more = grown(z, clamp=False)
    expected = 2 * small - 1
    for _ in range(2):
        expected = enlarged_at_once(expected)
    assert torch.allclose(2 * image - 1, expected, **close)
    assert all(torch.allclose(more[px], features[px], **close) for px in features)
    assert (grown.size, grown.layers, grown.widths[128]) == (128, 12, prior.widths[32] // 4)


def test_a_grown_prior_learns_at_its_new_size_alone_and_its_file_holds_no_more(trained, tmp_path):
    path, _ = trained
    torch.manual_seed(1)
    grown, z = GrownStyleGAN2(str(path), size=64, frozen=False), torch.randn(2, 16)
    grown(z, clamp=False)[0].square().mean().backward()
    learns = {name.split(".")[1] for name, w in grown.named_parameters() if w.grad is not None}
    assert learns == {"64"}
    torch.nn.init.normal_(grown.blocks["64"].image.weight)
    own = own_state(grown)
    assert {name.split(".")[0] for name in own} == {"blocks", "start", "mean_w"}
    assert all(name.startswith("blocks.64.") for name in own if name.startswith("blocks"))
    write_weights(own, tmp_path / "new.safetensors")
    torch.save({"generator_ema." + k: v for k, v in grown.state_dict().items()}, tmp_path / "a.pt")
    for file in ("new.safetensors", "a.pt"):  # a run's checkpoint holds all of it
        again = GrownStyleGAN2(str(path), size=64, grown=str(tmp_path / file))
        assert torch.equal(again(z)[0], grown(z)[0])
        assert not any(weight.requires_grad for weight in again.parameters())
        assert again.external_weights and not GrownStyleGAN2(str(path), size=64).external_weights
    with pytest.raises(WeightsError, match="of another architecture"):
        GrownStyleGAN2(str(path), size=128, grown=str(tmp_path / "new.safetensors"))


@pytest.mark.parametrize("size", [16, 32, 48])
def test_what_no_prior_grows_to_is_refused(trained, size):
    with pytest.raises(PartError, match=rf"^GrownStyleGAN2: 32 px do not grow to {size}$"):
        GrownStyleGAN2(str(trained[0]), size=size)
