"""Training of a generator and its adversary: weights, gradients and checkpoints."""

from math import log

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import SGD, Adam

from l2rkit.engine.randomness import seed_all
from l2rkit.errors import ConfigError, PartError
from l2rkit.io.weights import write_weights
from l2rkit.ops.gradients import input_gradient
from l2rkit.priors import (
    AdaptiveAugment,
    AdversarialPrior,
    GrownStyleGAN2,
    OptimizerForEach,
    StyleGAN2,
    StyleGAN2Discriminator,
)
from l2rkit.priors.training import PATH_EVERY, R1_EVERY, path_lengths

SIZE = 32
GENERATOR = dict(type=StyleGAN2, size=SIZE, width=1 / 128, latent=8, mapping=2, frozen=False)
DISCRIMINATOR = dict(type=StyleGAN2Discriminator, size=SIZE, width=1 / 128)


def tiny(**arguments: object) -> AdversarialPrior:
    torch.manual_seed(0)
    return AdversarialPrior(GENERATOR, DISCRIMINATOR, **arguments)


def optimizers(model: AdversarialPrior, generator: float = 1e-3, discriminator: float = 1e-3):
    rates = dict(generator=generator, discriminator=discriminator)
    return OptimizerForEach(
        {k: dict(optimizer=dict(type=SGD, lr=rate)) for k, rate in rates.items()}
    )(model)


def batch(count: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return dict(photo=torch.rand(count, 3, SIZE, SIZE, generator=generator))


def weights(part: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(part.parameters()).detach().clone()


def test_each_optimizer_moves_its_own_player_only() -> None:
    for rates, moves in (((1e-2, 0.0), "generator"), ((0.0, 1e-2), "discriminator")):
        model = tiny()
        before = {name: weights(getattr(model, name)) for name in ("generator", "discriminator")}
        model.train_step(batch(), optimizers(model, *rates))
        for name, old in before.items():
            assert (not torch.equal(weights(getattr(model, name)), old)) == (name == moves)


def test_a_step_leaves_no_gradient_behind() -> None:
    model = tiny()
    model.train_step(batch(), optimizers(model))
    for part in (model.generator, model.discriminator):
        assert all(w.requires_grad and w.grad is None for w in part.parameters())


def test_losses_of_a_blind_discriminator_are_known() -> None:
    model = tiny()
    for weight in model.discriminator.parameters():
        weight.data.zero_()
    report = model.train_step(batch(), optimizers(model, 0.0, 0.0))
    assert report["loss_discriminator"].item() == pytest.approx(2 * log(2))
    assert report["loss_generator"].item() == pytest.approx(log(2))
    assert report["r1"] == 0 and report["score_real"] == 0


def test_regularisers_come_when_they_are_due() -> None:
    model = tiny()
    wrapped = optimizers(model)
    for step in (0, 1, PATH_EVERY, R1_EVERY):
        model.step.fill_(step)
        report = model.train_step(batch(2), wrapped)
        assert ("r1" in report, "path_length" in report) == (step in (0, 16), step in (0, 8, 16))


def test_r1_of_a_linear_score_is_its_weights_square() -> None:
    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.arange(3.0 * SIZE * SIZE) / 1000)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return (2 * image - 1).flatten(1) @ self.weight  # converted to the published range

    square = (torch.arange(3.0 * SIZE * SIZE) / 1000).square().sum().item()
    for gamma, expected in ((7.0, 7.0), (None, 0.0002 * SIZE**2 / 4)):
        torch.manual_seed(0)
        model = AdversarialPrior(GENERATOR, Linear(), gamma=gamma)
        assert model.r1_penalty(batch()["photo"]).item() == pytest.approx(expected / 2 * square)
    image = torch.rand(1, 3, SIZE, SIZE, requires_grad=True)
    assert input_gradient(image.square().sum((1, 2, 3)), image).allclose(image)


def test_path_lengths_of_a_linear_image_are_its_matrix() -> None:
    """Of an image codes · A, all of whose directions have length s, in [-1, 1]: 2 s / √pixels."""
    torch.manual_seed(0)
    orthogonal = torch.linalg.qr(torch.randn(48, 6))[0].T  # 6 codes → 48 = 3 · 4 · 4 numbers
    codes = torch.randn(4000, 1, 6, requires_grad=True)
    image = (5 * codes[:, 0] @ orthogonal).reshape(-1, 3, 4, 4)
    squares = path_lengths(image, codes).square()
    assert squares.mean().item() == pytest.approx((2 * 5) ** 2 * 6 / 16, rel=0.05)
    layers = codes.detach().expand(-1, 2, -1).clone().requires_grad_()
    half = (5 * layers[:, 0] @ orthogonal).reshape(-1, 3, 4, 4)  # the second layer is not used
    assert path_lengths(half, layers).square().mean().item() == pytest.approx(
        squares.mean().item() / 2, rel=0.05
    )


def test_the_mean_path_length_is_remembered() -> None:
    model = tiny()
    model.train_step(batch(), optimizers(model, 0.0, 0.0))
    first = model.path.item()
    assert first > 0
    seed_all(1)
    codes = model.codes(2)
    image, _ = model.generator(codes, space="w", noise="random", clamp=False)
    length = path_lengths(image, codes).mean().item()
    seed_all(1)
    model.path_length_penalty(2)
    assert model.path.item() == pytest.approx(0.99 * first + 0.01 * length, rel=1e-4)
    assert not model.path.requires_grad, "nothing is learnt through what is remembered"


def test_codes_follow_one_latent_and_then_another() -> None:
    model = tiny()
    codes = model.codes(400)
    changes = (codes[:, 1:] - codes[:, :-1]).abs().amax(2) > 1e-6
    assert set(changes.sum(1).tolist()) == {0, 1}, "at most one change, from some layer on"
    assert changes.any(1).float().mean().item() == pytest.approx(0.9, abs=0.05)
    assert changes.any(0).all(), "at any layer"


def test_the_average_follows_by_its_half_life() -> None:
    model = tiny(half_life=8)
    model.step.fill_(10**6)
    old = weights(model.generator_ema)
    for weight in model.generator.parameters():
        weight.data.add_(1)
    model.update_ema(8)  # as many images as a half-life
    assert (weights(model.generator_ema) - old).allclose(torch.tensor(0.5), atol=1e-5)
    fresh = tiny(half_life=1e9)
    for weight in fresh.generator.parameters():
        weight.data.add_(1)
    fresh.update_ema(8)  # 8 images in all, of which 5 % are the half-life
    moved = weights(fresh.generator_ema) - weights(tiny().generator_ema)
    assert moved.allclose(torch.tensor(1 - 0.5**20), atol=1e-5)


def test_a_steps_draws_follow_from_the_seed_that_it_is_given() -> None:
    reports = []
    for numbers in ((0, 0, 5), (0, 0, 5), (0, 0, 6), (0, 1, 5)):
        model = tiny()
        seed_all(*numbers)
        reports.append(model.train_step(batch(), optimizers(model))["loss_generator"].item())
    assert reports[0] == reports[1] and len(set(reports)) == 3


def test_a_stopped_training_goes_on_bit_for_bit() -> None:
    def trained(model: AdversarialPrior, wrapped: object, *steps: int) -> None:
        for step in range(*steps):
            seed_all(0, 0, step)
            model.train_step(batch(), wrapped)

    def ready() -> tuple[AdversarialPrior, object]:
        model = tiny(augment=AdaptiveAugment(target=-2, images=40))  # always more
        described = dict(optimizer=dict(type=Adam, lr=2e-3, betas=(0.0, 0.99)))
        both = dict(generator=described, discriminator=described)
        return model, OptimizerForEach(both)(model)

    whole, wrapped = ready()
    trained(whole, wrapped, 6)
    first, wrapped = ready()
    trained(first, wrapped, 3)
    state, optimizer = first.state_dict(), wrapped.state_dict()
    second, wrapped = ready()
    second.load_state_dict(state)
    wrapped.load_state_dict(optimizer)
    trained(second, wrapped, 3, 6)
    assert whole.augment.p > 0, "so that augmentation was drawn, too"
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_it_learns_the_colours_of_its_photos() -> None:
    model = tiny(half_life=20, path_weight=0.0, gamma=0.1)
    described = dict(optimizer=dict(type=Adam, lr=2e-2, betas=(0.0, 0.99)))
    wrapped = OptimizerForEach(dict(generator=described, discriminator=described))(model)
    colours = torch.tensor([0.9, 0.5, 0.1])[:, None, None]
    noise = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))

    def steps_between_colours() -> torch.Tensor:
        red, green, blue = model.sample(8).mean((0, 2, 3))
        return torch.stack([red - green, green - blue])

    assert steps_between_colours().min() < 0
    for _ in range(30):
        model.train_step(dict(photo=colours + 0.02 * noise), wrapped)
    assert steps_between_colours().min() > 0.2, "0.4 each"


def test_an_evaluation_sees_new_images_in_each_batch_and_the_same_ones_again() -> None:
    model = tiny()
    photo = batch()["photo"]
    shown = []
    for _ in range(2):
        model.eval()
        shown.append([model(photo, mode="predict")[0] for _ in range(2)])
    assert torch.equal(shown[0][0], shown[1][0]) and torch.equal(shown[0][1], shown[1][1])
    assert not torch.equal(shown[0][0], shown[0][1])
    assert torch.equal(model.sample(4), shown[0][0])
    mean = model.sample(4, truncation=0)
    assert mean.allclose(mean[:1], atol=1e-6) and mean.min() >= 0 and mean.max() <= 1


def test_our_reader_takes_the_average_out_of_a_checkpoint(tmp_path) -> None:
    model = tiny()
    for weight in model.generator.parameters():
        weight.data.add_(1)
    path = tmp_path / "iter_1.pth"
    torch.save(dict(state_dict=model.state_dict(), meta=dict(iter=1)), path)
    z = torch.randn(2, 8)
    assert torch.equal(StyleGAN2(str(path))(z)[0], model.generator_ema(z)[0])


def test_half_precision_changes_little_and_keeps_weights_whole(halved) -> None:
    exact, half = tiny(), tiny(precision="bfloat16")
    reports = [model.train_step(batch(), optimizers(model)) for model in (exact, half)]
    for name in ("loss_generator", "loss_discriminator"):
        assert reports[0][name] != reports[1][name]
        assert reports[0][name].item() == pytest.approx(reports[1][name].item(), rel=0.05)
    assert all(weight.dtype == torch.float32 for weight in half.parameters())


def test_an_optimizer_of_no_part_is_one_line() -> None:
    described = dict(discriminater=dict(optimizer=dict(type=SGD, lr=0.5)))
    with pytest.raises(ConfigError, match="no part 'discriminater': did you mean 'discriminator'"):
        OptimizerForEach(described)(tiny())


def test_what_wraps_the_optimizers_can_be_said() -> None:
    class Own(OptimWrapper):
        pass

    model = tiny()
    described = dict(type=Own, generator=dict(optimizer=dict(type=SGD, lr=0.5)))
    wrapped = OptimizerForEach(described)(model)
    assert list(wrapped.keys()) == ["generator"]
    assert type(wrapped["generator"]) is Own
    assert wrapped.get_lr() == {"generator.lr": [0.5]}


def test_a_grown_generator_learns_details_beside_what_it_knows(tmp_path) -> None:
    write_weights(tiny().generator.state_dict(), tmp_path / "small.safetensors")
    size = 2 * SIZE
    grown = dict(type=GrownStyleGAN2, weights=str(tmp_path / "small.safetensors"), size=size)
    adversary = dict(DISCRIMINATOR, size=size, width=1 / 64)
    photo = torch.rand(4, 3, size, size, generator=torch.Generator().manual_seed(1))
    drifts = {}
    for anchor in (1e-6, 1e3):
        torch.manual_seed(0)
        model = AdversarialPrior(dict(grown, frozen=False), adversary, anchor=anchor)
        wrapped = OptimizerForEach(
            {k: dict(optimizer=dict(type=Adam, lr=0.02)) for k in ("generator", "discriminator")}
        )(model)
        old = weights(model.generator.blocks["32"])
        reports = [model.train_step(dict(photo=photo), wrapped) for _ in range(12)]
        assert reports[0]["drift"] == 0  # it begins as the first, to be exact
        assert torch.equal(weights(model.generator.blocks["32"]), old)
        assert model.generator.blocks["64"].image.weight.abs().sum() > 0
        drifts[anchor] = reports[-1]["drift"].item()
    assert drifts[1e3] < drifts[1e-6] / 2


def test_drift_is_seen_at_half_of_the_size() -> None:
    model = tiny(anchor=1.0)
    codes = model.codes(2)
    made = model.images(codes).detach()
    chess = (torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2 * 2.0 - 1
    assert model.drift(made + 0.3 * chess, codes).item() == pytest.approx(0, abs=1e-6)
    assert model.drift(made + 0.3, codes).item() == pytest.approx(0.3)


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(PartError, match="frozen=False"):
        AdversarialPrior(dict(GENERATOR, frozen=True), DISCRIMINATOR)
    with pytest.raises(ConfigError, match="AdversarialPrior: precision is one of"):
        tiny(precision="float8")


def test_without_noise_its_strengths_stay_0_and_with_it_they_do_not() -> None:
    for noise in ("none", "random"):
        model = tiny(noise=noise)
        model.train_step(batch(), optimizers(model))
        strengths = [v for k, v in model.generator.state_dict().items() if k.endswith("strength")]
        assert all(strength == 0 for strength in strengths) == (noise == "none")
