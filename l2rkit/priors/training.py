"""Trains a StyleGAN2 (Karras et al., CVPR 2020): generator and discriminator."""

from copy import deepcopy
from math import inf, sqrt

import torch
from mmengine.dist import get_world_size
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapperDict
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import Tensor, nn
from torch.autograd import grad
from torch.nn.functional import avg_pool2d, softplus

from ..engine.optim_wrapper import GuardedOptimWrapper
from ..errors import ConfigError, PartError, near
from ..ops.distributed import all_reduce_mean
from ..ops.gradients import frozen, input_gradient
from ..ops.precision import checked_precision, in_precision
from ..ops.transfer import PREPROCESSOR, HostBuffers, on_host
from ..registry import MODELS, PRIORS
from .augment import AdaptiveAugment
from .sampling import AsManyAsPhotos, samples

MIXING = 0.9  # share of images whose layers follow two latents
R1_EVERY, PATH_EVERY = 16, 8  # steps from one regularisation to the next
PATH_DECAY = 0.01  # of the mean path length
RAMP = 0.05  # share of the images so far that the averaged generator remembers at most


class AdversarialPrior(AsManyAsPhotos, HostBuffers, BaseModel):
    """A GAN in training; its samples are those of the averaged generator.

    A step draws from torch's generators, which `StepSeed` seeds, so a resumed run equals one
    without interruption. Each of several processes draws its own numbers; their images together
    are one batch (ours).

    Args:
        generator: a `StyleGAN2` that is not frozen, or a part with its `mapping`.
        discriminator: image → score; described by its class.
        augment: `AdaptiveAugment`; default: none.
        gamma: weight of R1; left out, 0.0002 size² / batch, as NVIDIA's later code has it.
        path_weight: of the path length.
        anchor: weight of the difference, at half of the size, from the images that the initial
            generator makes of the same codes, so that a grown generator keeps its faces. Ours.
        half_life: images after which a weight counts half in the averaged generator.
        noise: what the generator gets in training: "random", as published, or "none".
        precision: "bfloat16" or "float16" of both networks; weights, losses and what is
            regularised by derivatives keep float32.
    """

    export_part = "generator_ema"  # what is in its weight files
    host_buffers = ("step",)

    def __init__(
        self,
        generator: dict | nn.Module,
        discriminator: dict | nn.Module,
        augment: dict | nn.Module | None = None,
        gamma: float | None = None,
        path_weight: float = 2.0,
        anchor: float = 0.0,
        half_life: float = 10_000,
        noise: str = "random",
        precision: str | None = None,
        data_preprocessor: dict | nn.Module | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor or PREPROCESSOR)
        self.generator = PRIORS.build(generator)
        self.discriminator = MODELS.build(discriminator)
        self.augment = MODELS.build(augment or dict(type=AdaptiveAugment, images=inf))
        self.gamma, self.path_weight, self.half_life = gamma, path_weight, half_life
        self.noise = noise
        self.precision = checked_precision("AdversarialPrior", precision)
        if not any(weight.requires_grad for weight in self.generator.parameters()):
            raise PartError("AdversarialPrior: a generator is trained with frozen=False")
        self.generator_ema = deepcopy(self.generator).requires_grad_(False)
        self.anchor = anchor
        self.first = deepcopy(self.generator_ema) if anchor else None
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.register_buffer("path", torch.zeros(()))

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """One step of generator and of discriminator on a batch of `photo` (B, 3, S, S)."""
        photo = self.data_preprocessor(data, True)["photo"]
        critic, maker = optim_wrapper["discriminator"], optim_wrapper["generator"]
        photo = mirrored(photo)
        with torch.no_grad():
            fake = self.images(self.codes(len(photo)))
        real_scores, fake_scores = self.scores(photo), self.scores(fake)
        report = {
            "loss_discriminator": softplus(-real_scores).mean() + softplus(fake_scores).mean()
        }
        critic.update_params(report["loss_discriminator"])
        if self.step % R1_EVERY == 0:
            report["r1"] = self.r1_penalty(photo)
            critic.update_params(report["r1"] * R1_EVERY)
        self.augment.adapt(real_scores)
        with frozen(self.discriminator):
            codes = self.codes(len(photo))
            fake = self.images(codes)
            report["loss_generator"] = softplus(-self.scores(fake)).mean()
            if self.first is not None:
                report["drift"] = self.drift(fake, codes)
            maker.update_params(report["loss_generator"] + self.anchor * report.get("drift", 0))
        if self.path_weight and self.step % PATH_EVERY == 0:
            report["path_length"] = self.path_length_penalty(max(1, len(photo) // 2))
            maker.update_params(report["path_length"] * self.path_weight * PATH_EVERY)
        self.update_ema(len(photo) * get_world_size())
        logged = dict(
            score_real=real_scores.mean(), score_fake=fake_scores.mean(), p=self.augment.p
        )
        return {name: value.clone() for name, value in on_host(report | logged).items()}

    def codes(self, count: int) -> Tensor:
        """(count, layers, L) in w+: of one latent, or up to some layer of one and then another."""
        layers, device = self.generator.layers, self.path.device
        first, second = self.generator.mapping(
            torch.randn(2, count, self.generator.latent, device=device)
        )
        mixed = torch.rand(count, device=device) < MIXING
        cut = torch.where(mixed, torch.randint(1, layers, (count,), device=device), layers)
        early = torch.arange(layers, device=device) < cut[:, None]
        return torch.where(early[..., None], first[:, None], second[:, None])

    def images(self, codes: Tensor) -> Tensor:
        """(B, 3, S, S) of codes in w+, with new noise, not clamped to [0, 1]."""
        with in_precision(self.precision, codes):
            return self.generator(codes, space="w", noise=self.noise, clamp=False)[0].float()

    def scores(self, image: Tensor) -> Tensor:
        """(B,): the discriminator's score of the augmented image."""
        image = self.augment(image)
        with in_precision(self.precision, image):
            return self.discriminator(image).float()

    def r1_penalty(self, photo: Tensor) -> Tensor:
        """R1 (Mescheder et al., ICML 2018): weighted squared gradient of the score at photos.

        The gradient is by the augmented photo; in the ADA paper it is by the photo itself.
        """
        image = self.augment(photo).detach().requires_grad_()
        batch, size = len(photo) * get_world_size(), photo.shape[-1]
        gamma = 0.0002 * size**2 / batch if self.gamma is None else self.gamma
        gradient = input_gradient(self.discriminator(image), image)
        return gamma / 2 * gradient.square().sum((1, 2, 3)).mean()

    def path_length_penalty(self, count: int) -> Tensor:
        """Path length penalty (eq. 4)."""
        codes = self.codes(count).requires_grad_()  # those of a frozen mapping take none else
        image, _ = self.generator(codes, space="w", noise=self.noise, clamp=False)
        lengths = path_lengths(image, codes)
        self.path.lerp_(all_reduce_mean(lengths.detach().mean()), PATH_DECAY)
        return (lengths - self.path).square().mean()

    def drift(self, fake: Tensor, codes: Tensor) -> Tensor:
        """Mean absolute difference, at half of the size, from the first generator's images."""
        with torch.no_grad(), in_precision(self.precision, codes):
            was = self.first(codes, space="w", noise="none", clamp=False)[0].float()
        return avg_pool2d(fake - was, 2).abs().mean()

    @torch.no_grad()
    def update_ema(self, count: int) -> None:
        """Ends a step of `count` images: updates the averaged generator."""
        self.step += 1
        half_life = min(self.half_life, RAMP * count * self.step.item())
        new = 1 - 0.5 ** (count / half_life)
        for mean, weight in zip(self.generator_ema.parameters(), self.generator.parameters()):
            mean.lerp_(weight, new)
        if self.step % R1_EVERY == 0 and hasattr(self.generator_ema, "update_w_avg"):
            self.generator_ema.update_w_avg()

    def sample(self, count: int, seed: int = 0, truncation: float = 1) -> Tensor:
        """(count, 3, S, S) in [0, 1] of the averaged generator, always the same for a seed."""
        return samples(self.generator_ema, count, seed, truncation)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class OptimizerForEach:
    """Builds an optimizer for each part of a model that is a key of `optim_wrapper`.

    Each value is a config of MMEngine's: `optimizer`, and optionally `clip_grad` or
    `paramwise_cfg`. The key `others` stands for all parts without a key of their own. `type` is the
    default class of wrappers, `GuardedOptimWrapper` if it is omitted.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        self.optimizers, self.paramwise = dict(optim_wrapper_cfg), paramwise_cfg
        self.kind = self.optimizers.pop("type", GuardedOptimWrapper)

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        wrappers, model = {}, model.module if is_model_wrapper(model) else model
        for name, described in self.optimizers.items():
            wrapper = {"type": self.kind, **described}
            paramwise = wrapper.pop("paramwise_cfg", self.paramwise)
            construct = DefaultOptimWrapperConstructor(wrapper, paramwise)
            wrappers[name] = construct(self._part(model, name))
        return OptimWrapperDict(**wrappers)

    def _part(self, model: nn.Module, name: str) -> nn.Module:
        if name != "others":
            if not isinstance(part := getattr(model, name, None), nn.Module):
                known = near(name, [child for child, _ in model.named_children()])
                raise ConfigError(f"optim_wrapper: the model has no part '{name}'{known}")
            return part
        parts = {n: part for n, part in model.named_children() if n not in self.optimizers}
        return nn.ModuleDict(parts)


def path_lengths(image: Tensor, codes: Tensor) -> Tensor:
    """(B,): path lengths: the change of images (B, 3, H, W), in [-1, 1], per step of their codes.

    The length of a random direction's product with the image's Jacobian by codes (B, layers, L),
    whose squares are averaged over layers.
    """
    direction = torch.randn_like(image) / sqrt(image.shape[-1] * image.shape[-2])
    (product,) = grad((2 * image * direction).sum(), codes, create_graph=True)
    return product.square().sum(2).mean(1).sqrt()


def mirrored(photo: Tensor) -> Tensor:
    """The photos (B, 3, H, W), each mirrored left to right with probability 1/2."""
    chosen = torch.rand(len(photo), 1, 1, 1, device=photo.device) < 0.5
    return torch.where(chosen, photo.flip(-1), photo)
