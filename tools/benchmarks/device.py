"""Runs all parts of `device.sh`, each for a share of the time, and writes how each ended.

A part that fails, or outlasts its share, does not stop the others.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TESTS = ROOT / "tests" / "gpu"
RESERVE = 8  # seconds to end in


@dataclass(frozen=True)
class Part:
    """A command, and the seconds of 540 that it has; None is all that is left."""

    name: str
    command: list[str]
    seconds: float | None = None


@click.command(help=__doc__)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.argument("seconds", default=540.0)
@click.option("--rehearse", is_flag=True, help="All parts on a CPU, at tiny sizes.")
def main(out: Path, seconds: float, rehearse: bool) -> None:
    begun = time.monotonic()
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(rehearse), "seconds": seconds, "parts": {}}
    click.echo(report["machine"])
    for part in parts(out, rehearse):
        left = seconds - RESERVE - (time.monotonic() - begun)
        limit = left if part.seconds is None else min(left, part.seconds * seconds / 540)
        report["parts"][part.name] = ended = run(part, limit, out / "log.txt", rehearse)
        click.echo(f"{part.name}: {ended['end']} after {ended['seconds']} s")
        (out / "device.json").write_text(json.dumps(report, indent=1), "utf-8")
    click.echo(f"{sum(one['end'] == 'done' for one in report['parts'].values())} parts done")


def machine(rehearse: bool) -> str:
    """One line: torch, Triton and the GPU. Ends the program in one line if there is no GPU."""
    try:
        import torch
    except ImportError as error:
        sys.exit(f"device.sh needs PyTorch with CUDA, which cannot be imported: {error}")
    try:
        import triton
    except ImportError:
        version = "no Triton"
    else:
        version = f"Triton {triton.__version__}"
    said = f"torch {torch.__version__}, {version}, Python {sys.version.split()[0]}"
    if rehearse:
        return f"rehearsal on a CPU: {said}"
    if not torch.cuda.is_available():
        sys.exit(f"device.sh needs a GPU, which this PyTorch does not see ({said})")
    card = torch.cuda.get_device_properties(0)
    return f"{card.name}, {card.total_memory / 2**30:.0f} GiB, {said}, {os.cpu_count()} CPU cores"


def parts(out: Path, rehearse: bool) -> list[Part]:
    """All parts in their order: what says whether figures can be trusted comes first."""
    python, device = sys.executable, "cpu" if rehearse else "cuda"
    tests = [python, "-m", "pytest", "-m", "gpu", str(TESTS), "-p", "no:cacheprovider", "-rs"]
    speed = [python, str(HERE / "speed.py"), "--device", device]
    training = [python, str(HERE / "device_training.py"), str(out / "training.json")]
    if rehearse:
        small = ["--batch", "1", "--threads", "1", "--repeats", "1"]
        method = ROOT / "configs/unsup3d/unsup3d_heads_32.py"
        step = [*speed, *small, "--no-renderers", "--variant", "float32", str(method)]
        return [
            Part("tests", [*tests, "-k", "stylegan2 or test_training_steps and unsup3d"], 150),
            Part("unsup3d", [*step, "--json", str(out / "unsup3d.json")], 150),
            Part("training", [*training, "--rehearse"]),
        ]
    # By seconds, all of which a fresh machine may need to import and compile.
    steps = {"unsup3d/unsup3d_celeba": (64, 50), "lap/lap_celeba": (32, 45)}
    steps["l2r/l2r_celeba"] = (16, 65)
    kinds = ["--variant", "float32", "--variant", "bfloat16, channels last"]
    found = [
        Part("tests", tests, 130),
        Part(
            "renderers",
            [*speed, "--batch", "256", "--repeats", "20", "--json", str(out / "renderers.json")],
            50,
        ),
    ]
    for config, (batch, share) in steps.items():
        name = config.partition("/")[0]
        asked = ["--batch", str(batch), "--repeats", "10", "--no-renderers", *kinds]
        path = str(ROOT / "configs" / f"{config}.py")
        found.append(Part(name, [*speed, *asked, path, "--json", str(out / f"{name}.json")], share))
    return [*found, Part("training", training)]


def run(part: Part, limit: float, log: Path, rehearse: bool) -> dict[str, object]:
    """How a part ended and after how many seconds; what it printed is in `log`."""
    env = {**os.environ, "L2RKIT_GPU": "cpu"} if rehearse else None
    command = [*part.command, *(("--seconds", f"{limit - 15:.0f}") if not part.seconds else ())]
    begun = time.monotonic()
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"\n=== {part.name}: {' '.join(command)}\n")
        file.flush()
        if limit < 5:
            return {"end": "no time was left", "seconds": 0}
        process = subprocess.Popen(
            command, stdout=file, stderr=file, cwd=ROOT, env=env, start_new_session=True
        )
        try:
            code = process.wait(limit)
            end = "done" if code == 0 else f"failed with {code}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            end = f"stopped at its limit of {limit:.0f} s"
    return {"end": end, "seconds": round(time.monotonic() - begun, 1)}


if __name__ == "__main__":
    main()
