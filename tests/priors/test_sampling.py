"""Samples of a prior whose images are its latents."""

import pytest
import torch
from torch import Tensor, nn

from l2rkit.errors import WeightsError
from l2rkit.io.weights import load_weights, own_state, write_weights
from l2rkit.priors import PriorSampler
from l2rkit.priors.sampling import BATCH, AsManyAsPhotos, samples


class Plain(nn.Module):
    """Knows no truncation: the latents are the image's three values."""

    size, latent = 1, 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()), requires_grad=False)
        self.asked = []

    def forward(self, latents: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        self.asked.append(len(latents))
        return (self.weight * latents).sigmoid()[..., None, None], {}


def of_seed(seed: int, count: int) -> Tensor:
    z = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return z.sigmoid()[..., None, None]


def test_samples_are_those_of_one_draw_a_few_at_a_time() -> None:
    prior = Plain()
    assert torch.equal(samples(prior, BATCH + 2, seed=5), of_seed(5, BATCH + 2))
    assert prior.asked == [BATCH, 2]


def test_a_prior_is_asked_for_truncation_only_where_it_matters() -> None:
    class Truncated(Plain):
        def forward(self, latents: Tensor, truncation: float = 1) -> tuple[Tensor, dict]:
            return super().forward(truncation * latents)

    assert samples(Truncated(), 2, truncation=0).eq(0.5).all()
    with pytest.raises(TypeError, match="truncation"):
        samples(Plain(), 2, truncation=0.5)


def test_as_many_images_as_photos_and_the_same_in_each_evaluation() -> None:
    model = PriorSampler(dict(type=Plain))
    for _ in range(2):
        model.eval()
        for index, count in enumerate((4, 2)):
            (image,) = model(torch.rand(count, 3, 1, 1), mode="predict", name=["a"] * count)
            assert torch.equal(image, of_seed(index, count))


def test_a_prior_brings_its_weights_and_takes_none(tmp_path) -> None:
    model = PriorSampler(Plain())
    assert own_state(model) == {}
    write_weights(model.state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"it has 'prior\.weight' \(0 missing, 1 left over"):
        load_weights(model, tmp_path / "w.safetensors")


def test_processes_make_other_images_and_one_makes_those_of_before(monkeypatch) -> None:
    seeds: list[int] = []

    class Seeded(AsManyAsPhotos, nn.Module):
        def sample(self, count: int, seed: int) -> Tensor:
            seeds.append(seed)
            return torch.zeros(count, 3, 2, 2)

    for rank in (0, 1):
        monkeypatch.setattr("l2rkit.priors.sampling.get_rank", lambda rank=rank: rank)
        monkeypatch.setattr("l2rkit.priors.sampling.get_world_size", lambda: 2)
        part = Seeded().eval()
        for _ in range(2):
            part(torch.zeros(1, 3, 2, 2))
    assert seeds == [0, 2, 1, 3]


def test_a_prior_without_weights_is_sampled() -> None:
    class Grey(nn.Module):
        latent = 4

        def forward(self, z: Tensor) -> tuple[Tensor, dict]:
            return z.sigmoid().view(-1, 1, 2, 2).expand(-1, 3, 2, 2), {}

    assert samples(Grey(), 3).shape == (3, 3, 2, 2)
