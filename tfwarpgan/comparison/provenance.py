"""What a number rests on: the code's commit, the flags, and the weights, as hashes."""

import dataclasses
import glob
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable

import tfwarpgan
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options import Options
from tfwarpgan.options.train import STAGES

_BLOCK = 1 << 22


def commit() -> str:
    """The version of the code: its git commit, and whether files were changed since; outside of git the release."""
    folder = os.path.dirname(os.path.abspath(tfwarpgan.__file__))

    def git(*arguments: str) -> str:
        command = ["git", "-C", folder, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", folder)
        return git("rev-parse", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return f"tfwarpgan {tfwarpgan.__version__}, outside of git"


def flags_hash(options: Options) -> str:
    """Short sha256 of all flags but those of the place and the seed: the same for all runs of a row."""
    train = dataclasses.replace(options.train, run_dir="", stages_from="")
    data = dataclasses.replace(options.data, seed=0, prepared_dir="")
    return text_hash(to_flagfile(dataclasses.replace(options, train=train, data=data)))


def text_hash(text: str) -> str:
    """The first 12 digits of a text's sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def weights_hash(run_dir: str) -> str:
    """sha256 of the latest checkpoints of a run's stages, one after the other; empty if there are none here."""
    return files_hash(path for stage in STAGES for path in _latest_files(os.path.join(run_dir, stage)))


def files_hash(paths: Iterable[str]) -> str:
    """sha256 of files, one after the other; empty if there are none."""
    found, read = hashlib.sha256(), False
    for path in paths:
        read = True
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    return found.hexdigest() if read else ""


def _latest_files(folder: str) -> list[str]:
    """The files of the latest checkpoint in a folder, found without TensorFlow."""
    try:
        with open(os.path.join(folder, "checkpoint"), encoding="utf-8") as file:
            match = re.search(r'^model_checkpoint_path: "(.+)"', file.read(), re.MULTILINE)
    except OSError:
        return []
    return sorted(glob.glob(glob.escape(os.path.join(folder, match[1])) + ".data*")) if match else []
