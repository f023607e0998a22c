"""Training in two processes equals training on both batches in one."""

import os
from functools import partial
from pathlib import Path

import pytest
import torch
from fresh import python
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.optim import OptimWrapper
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.multiprocessing import start_processes
from torch.nn.functional import softplus
from torch.optim import SGD, Adam
from torch.utils.data import DataLoader

from l2rkit.adversary import Adversary
from l2rkit.cli.common import CommandError, join_on_cpu
from l2rkit.cli.starting import JOINED_BY
from l2rkit.cli.train import train
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine.distributed import ReplicatedModel, average_gradients
from l2rkit.engine.optim_wrapper import GuardedOptimWrapper
from l2rkit.engine.randomness import seed_all
from l2rkit.errors import ConfigError
from l2rkit.losses import Photometric, PitchPrior, ZeroMeanPose
from l2rkit.metrics.figures import ImageFigures
from l2rkit.model import FaceReconstructor
from l2rkit.priors import AdversarialPrior, OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
from l2rkit.refine import RefinedGeometry
from l2rkit.render import GridRenderer
from l2rkit.structures import Scene

SIZE, RATE, SHARE = 32, 0.1, 2  # SHARE: photos of each process
PHOTOS = torch.rand(2 * SHARE, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


class Squares(nn.Module):
    """A loss that is a mean over photos of equal weight."""

    def forward(self, scene: Scene) -> Tensor:
        return (scene.rendering.image - scene.target).square().mean()


class Linear(nn.Module):
    """A discriminator that looks at each image alone."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 3 * SIZE**2) / 30)

    def forward(self, image: Tensor) -> Tensor:
        return softplus(image.flatten(1) @ self.weight)


def sgd(**rates: float) -> dict[str, dict]:
    return {name: dict(optimizer=dict(type=SGD, lr=rate)) for name, rate in rates.items()}


def face(*losses: type, adversary: nn.Module | None = None) -> tuple[nn.Module, object]:
    torch.manual_seed(0)
    model = FaceReconstructor(
        decompose=Unsup3DDecomposer(SIZE, width=8, encoder_width=8, view_gain=0.5),
        refine=dict(geometry=RefinedGeometry(widths=(8, 8))),
        render=GridRenderer(),
        losses={loss.__name__: dict(type=loss) for loss in losses},
        adversary=adversary,
    )
    if adversary is None:
        return model, GuardedOptimWrapper(SGD(model.parameters(), lr=RATE))
    return model, OptimizerForEach(sgd(others=RATE, adversary=RATE))(model)


def prior(**rates: float) -> tuple[nn.Module, object]:
    torch.manual_seed(0)
    model = AdversarialPrior(
        dict(type=StyleGAN2, size=SIZE, width=1 / 128, latent=8, mapping=2, frozen=False),
        dict(type=StyleGAN2Discriminator, size=SIZE, width=1 / 128),
        gamma=0.0,  # R1 is a second update, upon weights that have met: no mean of two alone
        path_weight=0.0,
    )
    return model, OptimizerForEach(sgd(**rates))(model)


def prior_with_all() -> tuple[nn.Module, object]:
    model, _ = prior()
    model.path_weight = 2.0
    each = dict(optimizer=dict(type=Adam, lr=1e-3))
    return model, OptimizerForEach(dict(generator=each, discriminator=each))(model)


def distinguished() -> nn.Module:
    torch.manual_seed(0)
    return Adversary(StyleGAN2Discriminator(size=SIZE, width=1 / 64, condition=6))


SAME_AS_ONE = {  # as one process with all photos
    "squares": partial(face, Squares),
    "unsup3d": partial(face, Photometric, ZeroMeanPose, PitchPrior),
    "two optimizers": lambda: face(Photometric, adversary=Adversary(Linear(), turned=False)),
}
MEAN_OF_BOTH = {  # with plain descent, one step: the mean of what each process would have learnt
    "l2r": lambda: face(Squares, adversary=distinguished()),
    "prior's generator": partial(prior, generator=RATE, discriminator=0.0),
    "prior's discriminator": partial(prior, generator=0.0, discriminator=RATE),
}


def batch(rank: int) -> dict[str, Tensor]:
    photo = PHOTOS[rank * SHARE : (rank + 1) * SHARE]
    return dict(photo=photo, clean=photo)


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


class Value(ImageFigures):
    """The images' own numbers."""

    names = ("value",)

    def process(self, data_batch: dict, data_samples: list) -> None:
        self.add(torch.tensor(data_samples, dtype=torch.float32))


def measured() -> dict[str, float]:
    """What two processes say of five images, 3 for the one and 2 for the other, in batches of 2."""
    images, metric = list(range(5)), Evaluator(Value())
    loader = DataLoader(
        images, 2, sampler=DefaultSampler(images, shuffle=False), collate_fn=pseudo_collate
    )
    for numbers in loader:
        metric.process(numbers, numbers)
    return metric.evaluate(len(images)) or {}


def meeting() -> list[Tensor | None]:
    """Gradients of a weight that both use, that only process 1 uses, and that nobody uses."""
    rank = torch.distributed.get_rank()
    both, one, none = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    both.grad = torch.tensor([1.0, 10.0]) * (rank + 1)
    one.grad = torch.tensor([4.0, 6.0]) if rank else None
    average_gradients([both, one, none])
    return [both.grad, one.grad, none.grad]


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    found = {}
    for number, cases in enumerate(CASES):
        for name, make in cases.items():
            model, wrapper = make()
            if rank:  # begins as the first one does, whatever it was
                nn.init.zeros_(next(model.parameters()))
            wrapped = ReplicatedModel(model)
            steps = 5 if cases is ALL else 1
            seed_all(0, rank)
            report = [wrapped.train_step(batch(rank), wrapper) for _ in range(steps)][0]
            found[number, name] = dict(state=state(model), report=report)
    torch.save(dict(found=found, measured=measured(), meeting=meeting()), f"{folder}/{rank}.pth")
    torch.distributed.destroy_process_group()


def start(folder: str) -> None:
    start_processes(work, (folder,), nprocs=2, start_method="fork")


ALL = {"prior, all": prior_with_all}
CASES = (SAME_AS_ONE, MEAN_OF_BOTH, ALL)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What each of two processes found."""
    folder = str(tmp_path_factory.mktemp("together"))
    code = "import sys, test_distributed; test_distributed.start(sys.argv[1])"
    done = python("-c", code, folder, env=dict(os.environ, PYTHONPATH=str(Path(__file__).parent)))
    assert done.returncode == 0, done.stderr
    return [torch.load(Path(folder, f"{rank}.pth"), weights_only=False) for rank in (0, 1)]


def test_both_end_with_the_same_bits(both: list[dict]) -> None:
    for case, one in both[0]["found"].items():
        for name, value in one["state"].items():
            assert torch.equal(value, both[1]["found"][case]["state"][name]), (case, name)


@pytest.mark.parametrize("name", SAME_AS_ONE)
def test_two_batches_are_one_of_both(both: list[dict], name: str) -> None:
    model, wrapper = SAME_AS_ONE[name]()
    before = state(model)
    report = model.train_step(dict(photo=PHOTOS, clean=PHOTOS), wrapper)
    reports = [one["found"][0, name]["report"] for one in both]
    got = both[0]["found"][0, name]["state"]
    for key, value in report.items():
        torch.testing.assert_close(
            sum(r[key] for r in reports) / 2, value, atol=1e-5, rtol=1e-5, check_device=False
        )
    for key, value in state(model).items():  # (before - after) / RATE is the gradient
        torch.testing.assert_close(got[key], value, atol=1e-5 * RATE, rtol=1e-6)
    assert any(not torch.equal(before[key], got[key]) for key in before)


@pytest.mark.parametrize("name", MEAN_OF_BOTH)
def test_what_is_learnt_is_the_mean_of_both(both, name) -> None:
    alone = []
    for rank in (0, 1):
        model, wrapper = MEAN_OF_BOTH[name]()
        seed_all(0, rank)
        model.train_step(batch(rank), wrapper)
        alone.append({n: w.detach() for n, w in model.named_parameters() if "ema" not in n})
    moved = [not torch.equal(alone[0][n], alone[1][n]) for n in alone[0]]
    assert any(moved), "the two have different photos"
    for key, value in alone[0].items():
        mean, got = (value + alone[1][key]) / 2, both[0]["found"][1, name]["state"][key]
        torch.testing.assert_close(got, mean, atol=1e-5 * RATE, rtol=1e-6)


def test_weights_that_not_all_use_meet(both: list[dict]) -> None:
    for one in both:
        shared, alone, unused = one["meeting"]
        assert shared.tolist() == [1.5, 15.0] and alone.tolist() == [2.0, 3.0] and unused is None


def test_optimizers_find_the_parts_of_a_wrapped_model() -> None:
    model = nn.ModuleDict(dict(one=nn.Linear(2, 1), two=nn.Linear(3, 1), three=nn.Linear(4, 1)))
    described = dict(one=dict(optimizer=dict(type=SGD, lr=1)))
    described["others"] = dict(optimizer=dict(type=Adam, lr=1))
    made = OptimizerForEach(described)(ReplicatedModel(model))
    held = {
        name: {id(w) for w in made[name].optimizer.param_groups[0]["params"]} for name in described
    }
    assert held["one"] == {id(w) for w in model["one"].parameters()}
    assert held["others"] == {id(w) for key in ("two", "three") for w in model[key].parameters()}


def test_metrics_count_each_image_once(both: list[dict]) -> None:
    assert both[0]["measured"]["value"] == 2.0  # the mean of 0, 1, 2, 3, 4; the sixth is a filling
    assert both[0]["measured"]["value_std"] == pytest.approx(2.5**0.5)


@pytest.mark.parametrize("launcher", ["slurm", "mpi", "none"])
def test_the_launcher_reaches_the_runner(launcher, monkeypatch, tmp_path) -> None:
    seen = []

    class Trained:
        def register_hook(self, hook: object) -> None:
            pass

        def train(self) -> None:
            seen.append("trained")

    monkeypatch.setattr(Runner, "from_cfg", lambda cfg: seen.append(cfg) or Trained())
    monkeypatch.setattr(DATASETS, "build", lambda cfg: range(99))  # 40,000 heads would be drawn
    joined = []
    monkeypatch.setattr(torch.distributed, "init_process_group", joined.append)
    in_environment(launcher, monkeypatch)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    words = ["configs/unsup3d/unsup3d_heads_32.py", "--work-dir", str(tmp_path)]
    monkeypatch.chdir(Path(__file__).parents[2])
    train([*words, "--launcher", launcher], standalone_mode=False)
    assert joined == (["gloo"] if launcher == "slurm" else [])
    assert len(seen) == 2 and seen[1] == "trained"
    assert seen[0].launcher == launcher and seen[0].work_dir == str(tmp_path)
    assert seen[0].model_wrapper_cfg == dict(type="l2rkit.engine.ReplicatedModel")


def in_environment(launcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets what the launcher sets; what is set later is undone with it."""
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT", "MASTER_ADDR"):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    for name in JOINED_BY.get(launcher, ()):
        monkeypatch.setenv(name, "0")


def test_slurm_without_its_hosts_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    in_environment("slurm", monkeypatch)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CommandError, match="slurm needs scontrol, or MASTER_ADDR"):
        join_on_cpu("slurm")


def test_a_wrapper_that_does_not_average_is_refused() -> None:
    model = nn.Linear(2, 1)
    plain = OptimWrapper(SGD(model.parameters(), lr=RATE))
    with pytest.raises(ConfigError, match=r"ReplicatedModel: optim_wrapper\.type is OptimWrapper"):
        ReplicatedModel(model).train_step({}, plain)
