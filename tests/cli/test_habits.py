"""Commands and options as OpenMMLab users type them."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from mmengine.runner import Runner
from PIL import Image
from test_chain import TRAINING

from l2rkit.cli import main
from l2rkit.cli.common import OVERRIDES
from l2rkit.cli.test import test as measure
from l2rkit.io.weights import read_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture
def training(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(config.parent)
    config.write_text(config.read_text() + TRAINING.format(steps=2))
    return config


def run(*words: object) -> None:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output


TYPED = {"a": True, "b": False, "d": ["x", "data/y"]}
DESCRIBED = {"a": [{"type": "X", "n": (1, 2)}]}


@pytest.mark.parametrize(
    ("words", "config", "changes"),
    [
        ("c.py --cfg-options a=1 b.c=2", "c.py", {"a": 1, "b.c": 2}),
        ("--cfg-options a=1 b.c=2 c.py", "c.py", {"a": 1, "b.c": 2}),
        ("--cfg-options=a=1 b=x --cfg-options d=3 c.py", "c.py", {"a": 1, "b": "x", "d": 3}),
        ("--cfg-options a=[1,2] b=(1,'x') c.py", "c.py", {"a": [1, 2], "b": (1, "x")}),
        ("c.py --cfg-options a=true b=False d=[x,data/y]", "c.py", TYPED),
        (
            "c.py --cfg-options a=[dict(type=X,n=(1,2))]",
            "c.py",
            {"a": [{"type": "X", "n": (1, 2)}]},
        ),
        ("c.py --cfg-options a=1 --quiet", "c.py", {"a": 1}),
        ("c.py", "c.py", {}),
    ],
)
def test_several_changes_follow_one_flag(words: str, config: str, changes: dict) -> None:
    @click.command()
    @click.argument("config")
    @click.option("--quiet", is_flag=True)
    @OVERRIDES
    def command(config: str, quiet: bool, cfg_options: dict) -> None:
        got.update(config=config, changes=cfg_options)

    got: dict = {}
    done = CliRunner().invoke(command, words.split())
    assert done.exit_code == 0, done.output
    assert got == dict(config=config, changes=changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("visualizer=x", "'visualizer' is a dict such as dict(a=1), not 'x'"),
        ("randomness=3", "'randomness' is a dict such as dict(a=1), not 3"),
        ("model=x", "set one of its keys: model.type=..."),
        ("test_dataloader.dataset.pipeline=3", "is a list such as [dict(a=1)], not 3"),
        ("model.type=[/a/b]", "'[/a/b]' is no list: quote its words"),
    ],
)
def test_a_word_in_place_of_a_dict_is_one_line(change: str, said: str, config: Path) -> None:
    done = CliRunner().invoke(main, ["print-config", str(config), "--cfg-options", change])
    assert done.exit_code == 2 and said in done.stderr, done.output


def test_resume_is_auto_or_a_checkpoint(training: Path) -> None:
    run("train", training, "--cfg-options", "train_cfg.max_iters=1", "randomness.seed=4")
    shutil.copytree("work_dirs/tiny", "kept")
    for words in (("--resume",), ("--resume", "auto"), ("--resume=auto",)):
        run("train", training, *words)
        assert Path("work_dirs/tiny/iter_2.pth").is_file()
        shutil.rmtree("work_dirs/tiny")
        shutil.copytree("kept", "work_dirs/tiny")
    run("train", "--resume", training)  # what follows is the config
    run("train", training, "--resume", "kept/iter_1.pth", "--work-dir", "other")
    same = read_weights(Path("work_dirs/tiny/iter_2.pth"))
    other = read_weights(Path("other/iter_2.pth"))
    assert all((other[key] == value).all() for key, value in same.items())
    missing = CliRunner().invoke(main, ["train", str(training), "--resume", "no.pth"])
    assert missing.exit_code == 2 and "no checkpoint at no.pth" in missing.stderr


def test_learning_rates_go_with_the_batch(training: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []

    def look(runner: Runner) -> None:
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
        rates.append(runner.optim_wrapper.param_groups[0]["lr"])

    monkeypatch.setattr(Runner, "train", look)
    double = ("--cfg-options", "train_dataloader.batch_size=8")
    for words in ((), double, ("--auto-scale-lr",), ("--auto-scale-lr", *double)):
        run("train", training, *words)
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 2e-3])


def test_show_dir_has_a_panel_of_each_photo(config: Path, weights: Path, tmp_path: Path) -> None:
    run("test", config, weights, "--show-dir", tmp_path / "shown", "--dry-run")
    shown = sorted((tmp_path / "shown").iterdir())
    assert [path.name for path in shown] == [f"{number:06d}.png" for number in range(8)]
    assert Image.open(shown[0]).width == 8 * 128
    assert shown[0].read_bytes() != shown[1].read_bytes()


SCRIPTS = sorted((ROOT / "tools").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_launch_scripts_say_how_they_are_called(script: Path) -> None:
    assert os.access(script, os.X_OK)
    done = subprocess.run([script], capture_output=True, text=True)
    assert done.returncode and f"usage: tools/{script.name} " in done.stderr


@pytest.mark.parametrize("name", ["slurm_train.sh", "slurm_test.sh"])
def test_slurm_gets_a_command_that_is_one(name: str, tmp_path: Path) -> None:
    """An `srun` that prints its words stands in for a cluster."""
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GPUS": "4"}
    words = [ROOT / "tools" / name, "cards", "mine", "c.py", "there", "--cfg-options", "a=1", "b=2"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert said[:3] == ["-p", "cards", "--job-name=mine"] and "--ntasks=4" in said
    script = next(i for i, word in enumerate(said) if word.endswith(".py"))
    command = main.get_command(None, Path(said[script]).stem)
    context = command.make_context("x", said[script + 1 :])
    assert context.params["launcher"] == "slurm" and context.params["config"] == "c.py"
    assert context.params["cfg_options"] == {"a": 1, "b": 2}
    assert context.params["work_dir" if name == "slurm_train.sh" else "weights"] == "there"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


SRUN = """#!/bin/sh
while [ "$1" != "$PYTHON" ]; do shift; done
export SLURM_NTASKS=2 SLURM_NODELIST=here
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" &
SLURM_PROCID=0 SLURM_LOCALID=0 "$@" && wait $!
"""  # runs two processes on this machine


@pytest.mark.parametrize("script", ["dist_test.sh", "slurm_test.sh"])
def test_two_processes_measure_what_one_does(
    script: str, config: Path, weights: Path, tmp_path: Path
) -> None:
    for name, text in (("srun", SRUN), ("scontrol", "#!/bin/sh\necho 127.0.0.1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    done = CliRunner().invoke(measure, [str(config), str(weights), "--results", str(one)])
    assert done.exit_code == 0, done.output
    words = {"dist_test.sh": (config, weights, "2"), "slurm_test.sh": ("p", "j", config, weights)}
    command = [ROOT / "tools" / script, *words[script], "--results", two]
    environment = os.environ | {
        "PYTHON": sys.executable,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    environment["PORT"] = environment["MASTER_PORT"] = str(free_port())
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("1/1,") == 1 and "NUM_THREADS" not in done.stderr
    (first,), (second,) = (json.loads(path.read_text()) for path in (one, two))
    assert second["n"] == 8 and first["metrics"].keys() == second["metrics"].keys()
    for name, figures in first["metrics"].items():
        assert second["metrics"][name] == pytest.approx(figures, rel=1e-3, abs=1e-3), name
