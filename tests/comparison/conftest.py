"""Evaluations as `evaluate` leaves them, written by hand."""

import json

import numpy as np
import pytest

NAMES = [(f"{person:04d}_a.jpg", f"{person:04d}_{view}.jpg") for person in range(1, 13) for view in "bc"]


@pytest.fixture
def evaluation(tmp_path):
    """Function of a name and numbers -> the folder of an evaluation of 24 pairs of 12 persons."""

    def make(name, ssim=0.5, l1=0.1, texture=1.0, gain=0.0, names=NAMES):
        """`gain`: added to the SSIM of every second pair."""
        folder = tmp_path / name / "evaluation"
        folder.mkdir(parents=True)
        random = np.random.default_rng(0)
        of_pairs = ssim + 0.1 * random.normal(size=len(names)) + gain * (np.arange(len(names)) % 2)
        entry = {"protocol": "as it is", "goal": "higher", "pairs": len(names), "baselines": {}}
        metrics = {
            "ssim_gaussian": {**entry, "model": float(of_pairs.mean())},
            "l1": {**entry, "goal": "lower", "model": l1},
            "texture": {**entry, "goal": "one", "model": texture},
            "parsing_miou": {**entry, "model": None},
        }
        (folder / "metrics.json").write_text(json.dumps({"pairs": len(names), "metrics": metrics}))
        rows = [f"{a},{b},{value:.6f},{l1}," for (a, b), value in zip(names, of_pairs)]
        header = "from,to,ssim_gaussian_model,l1_model,texture_model"
        (folder / "pairs.csv").write_text("\n".join([header, *rows]) + "\n")
        return str(folder)

    return make
