"""Small models of three methods with their optimizers."""

from torch import nn
from torch.optim import Adam

from l2rkit.adversary import Adversary
from l2rkit.decompose import LAPDecomposer, Unsup3DDecomposer
from l2rkit.engine.optim_wrapper import GuardedOptimWrapper
from l2rkit.losses import Perceptual, Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.priors import AdversarialPrior, OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
from l2rkit.refine import FittedLight, RefinedGeometry, UnwrappedAlbedo
from l2rkit.render import GridRenderer

SIZE = 32


def unsup3d() -> tuple[nn.Module, object]:
    drawn = ("CycleConsistency", "ShiftEquivariance", "ZeroMeanPose", "PitchPrior")
    features = dict(type="MobileNetFeatures")
    losses = dict(a=Photometric(mirror=0.5), b=Perceptual(features, mirror=0.5))
    model = FaceReconstructor(
        Unsup3DDecomposer(SIZE, width=8, encoder_width=8),
        GridRenderer(),
        losses | {name: dict(type=name) for name in drawn},
    )
    return model, GuardedOptimWrapper(Adam(model.parameters(), 1e-4), clip_grad=dict(max_norm=1.0))


def l2r() -> tuple[nn.Module, object]:
    generator = dict(type=StyleGAN2, size=SIZE, width=1 / 64, latent=8, mapping=2)
    model = FaceReconstructor(
        LAPDecomposer(SIZE, width=8, encoder_width=8),
        GridRenderer(),
        dict(a=Photometric(mirror=0.0)),
        refine=dict(
            albedo=UnwrappedAlbedo(generator, image_size=SIZE, widths=(8, 8)),
            geometry=RefinedGeometry(widths=(8, 8)),
            light=FittedLight(),
        ),
        adversary=Adversary(StyleGAN2Discriminator(size=SIZE, width=1 / 64, condition=6)),
    )
    each = dict(optimizer=dict(type=Adam, lr=1e-3))
    clipped = dict(each, clip_grad=dict(max_norm=1.0))
    return model, OptimizerForEach(dict(others=clipped, adversary=each))(model)


def prior() -> tuple[nn.Module, object]:
    model = AdversarialPrior(
        dict(type=StyleGAN2, size=SIZE, width=1 / 128, latent=8, mapping=2, frozen=False),
        dict(type=StyleGAN2Discriminator, size=SIZE, width=1 / 128),
        augment=dict(type="AdaptiveAugment"),
    )
    model.augment.p.fill_(0.5)
    each = dict(optimizer=dict(type=Adam, lr=1e-3))
    return model, OptimizerForEach(dict(generator=each, discriminator=each))(model)
