"""The pages about several machines: the tables are those that are computed, the Slurm script names the workers."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

from tfwarpgan.flags import all_fields
from tfwarpgan.options import Options, WorkerOptions
from tfwarpgan.training.workers import find_workers

ROOT = pathlib.Path(__file__).resolve().parents[1]
MACHINES = (ROOT / "docs/machines.md").read_text()


@pytest.fixture(scope="module")
def scaling():
    spec = importlib.util.spec_from_file_location("scaling", ROOT / "benchmarks/scaling.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["scaling"] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def test_a_ring_by_hand(scaling):
    # Two GPUs send their gradients once each: 10**9 parameters of 4 bytes, 32 Gbit, at 16 Gbit/s.
    assert scaling.ring_seconds(2, 16, 10**9) == pytest.approx(2.0)
    assert scaling.ring_seconds(1, 16, 10**9) == 0
    assert scaling.ring_seconds(4, 16, 10**9) == pytest.approx(3.0)


def test_a_step_by_hand(scaling):
    setting = scaling.Setting("", batch=10, flops=1e13, image_bytes=7e6)  # a second of computing at 1e14 FLOP/s
    ring = scaling.ring_seconds(8, 25)
    assert scaling.step_seconds(setting, 8, 25) == pytest.approx(1.0 + ring)
    assert scaling.efficiency(setting, 8, 25) == pytest.approx(1 / (1.0 + ring))
    assert scaling.read_bytes(setting, 8, 25) == pytest.approx(8 * 10 * 1e6 / (1.0 + ring))  # 7 pairs an image


def test_the_page_has_the_computed_tables(scaling):
    page = (ROOT / "docs/scale.md").read_text()
    for setting in scaling.SETTINGS:
        assert "\n".join(scaling.table(setting)) in page, "run python benchmarks/scaling.py"
        assert f"--batch_size={setting.batch}\n" in (ROOT / "configs" / setting.name).read_text()
    assert f"P = {scaling.PARAMETERS:,} parameters" in page
    assert f"{scaling.PARAMETERS * scaling.BYTES / 1e6:.0f} MB" in page


def test_the_flags_of_the_page_are_there():
    render = {f"training_{name}" for name in "workers gpus cpus memory_mib image flagfile failures dir".split()}
    of_slurm = set(re.findall(r"^ *#SBATCH --([\w-]+)", MACHINES, re.MULTILINE)) | {"kill-on-bad-exit", "gpus-per-task"}
    known = {field.name for field in all_fields(Options, WorkerOptions)} | render | of_slurm
    assert set(re.findall(r"--([a-z][\w-]*)", MACHINES)) - {"flagfile"} <= known


def test_the_slurm_script_names_the_workers():
    script = MACHINES.partition("#!/bin/bash\n")[2].partition("    srun ")[0]
    stub = "scontrol() { printf 'node7\\nnode9\\n'; }\n"
    found = subprocess.run(
        ["bash", "-euc", stub + script + "echo $WORKERS"], env={"SLURM_JOB_NODELIST": "node[7,9]"}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    workers = find_workers(WorkerOptions(workers=found.stdout.strip(), worker=1), {})
    assert workers.addresses == ("node7:2222", "node9:2222")
