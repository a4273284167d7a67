"""Pictures of rendered people where everything is estimated, joints and labels, drawn by the released weights."""

import dataclasses
import os

import numpy as np

from tfwarpgan.data.joints.stature import stature_of
from tfwarpgan.data.pairs.lists import read_pairs
from tfwarpgan.data.pictures.images import read_photograph
from tfwarpgan.evaluation.metrics.l1 import l1
from tfwarpgan.evaluation.metrics.ssim import ssim
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.released import released_folder
from tfwarpgan.photographs import labels
from tfwarpgan.photographs.clothes import Clothes
from tfwarpgan.photographs.drawing import load_drawer
from tfwarpgan.photographs.estimator import load_estimator
from tfwarpgan.photographs.person import person_of
from tfwarpgan.photographs.poses import as_it_stands

SIZE = (128, 64)


def test_estimated_pictures_are_near_the_true_ones(people_folder, movenet):
    """60 pairs as the command draws them; every fifth with drawn labels too, and with none."""
    folder = released_folder("people")
    options, stature, estimator = run_options(folder), stature_of(folder), load_estimator(movenet)
    draw = load_drawer(options, "people")
    source = labels.source("", "", Clothes(), options.data, SIZE, SIZE, "people")
    found, drawn, blind, targets = [], [], [], []
    for number, (_, name, target) in enumerate(read_pairs(os.path.join(people_folder, "market-pairs-test.csv"))[::20]):
        pixels, other = (
            read_photograph(os.path.join(people_folder, "bounding_box_test", each))[0] for each in (name, target)
        )
        person = person_of(pixels, estimator.pose(pixels, name), stature, SIZE, name, source)
        pose = as_it_stands(estimator.pose(other, target), SIZE, options.data, target)
        found.append(draw(person, [pose])[0].image)
        targets.append(other)
        if number % 5 == 0:
            by_joints = person_of(pixels, person.pose, stature, SIZE, name, Clothes())
            drawn.append(draw(by_joints, [pose])[0].image)
            unlabeled = dataclasses.replace(person, labels=np.zeros_like(person.labels))
            blind.append(draw(unlabeled, [pose])[0].image)
    found, drawn, blind, targets = map(np.stack, (found, drawn, blind, targets))
    scores = {
        name: (np.mean(ssim(true, pictures)), l1(true, pictures).mean())
        for name, pictures, true in (
            ("found", found, targets), ("few", found[::5], targets[::5]), ("drawn", drawn, targets[::5]),
            ("blind", blind, targets[::5]),
        )
    }  # fmt: skip
    assert len(targets) == 60 and len(blind) == 12
    assert scores["found"][0] >= 0.56 and scores["found"][1] <= 0.16, scores
    for better, worse in (("few", "drawn"), ("drawn", "blind")):
        assert scores[better][0] > scores[worse][0] + 0.005 and scores[better][1] < scores[worse][1], scores
