"""Writes the heads of LPIPS and DISTS that the package carries, from the wheels lpips 0.1.4 and DISTS-pytorch 0.1.

pip download --no-deps lpips==0.1.4 DISTS-pytorch==0.1 -d WHEELS
python tools/metric_heads.py --wheels=WHEELS
"""

import hashlib
import os
import tempfile
import zipfile

import numpy as np
from absl import app, flags

from tfwarpgan.evaluation.metrics import dists, lpips
from tfwarpgan.evaluation.weights.torch_file import read_torch_file

flags.DEFINE_string("wheels", None, "Folder of both wheels.", required=True)
FLAGS = flags.FLAGS

SHA256 = {
    "lpips-0.1.4-py3-none-any.whl": "fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
    "DISTS_pytorch/weights.pt": "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
}


def main(argv):
    """Writes both files."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(FLAGS.wheels):
            path = os.path.join(FLAGS.wheels, name)
            check(path, name)
            zipfile.ZipFile(path).extractall(folder)
        check(os.path.join(folder, "DISTS_pytorch/weights.pt"), "DISTS_pytorch/weights.pt")
        np.savez_compressed(lpips.HEADS, **dict(lpips_heads(os.path.join(folder, "lpips/weights"))))
        found = read_torch_file(os.path.join(folder, "DISTS_pytorch/weights.pt"))
        np.savez_compressed(dists.HEADS, **{name: array.ravel() for name, array in found.items()})


def lpips_heads(folder):
    """Yields (v0.1/alex/0, float32 [C]) and so on."""
    for version in ("v0.0", "v0.1"):
        for trunk in lpips.NETWORKS:
            found = read_torch_file(os.path.join(folder, version, f"{trunk}.pth"))
            for number, name in enumerate(sorted(found)):
                yield f"{version}/{trunk}/{number}", found[name].ravel()


def check(path, name):
    """Ends the program if a file whose sum is known has another."""
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if SHA256.get(name, digest) != digest:
        raise SystemExit(f"{path} is not the file that is expected: its sha256 is {digest}.")


if __name__ == "__main__":
    app.run(main)
