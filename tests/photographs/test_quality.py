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
from tfwarpgan.photographs.clothes import Clothes
from tfwarpgan.photographs.drawing import load_drawer
from tfwarpgan.photographs.estimator import load_estimator
from tfwarpgan.photographs.person import person_of
from tfwarpgan.photographs.poses import as_it_stands


def test_estimated_pictures_are_near_the_true_ones(people_folder, movenet):
    folder = released_folder("people")
    options, stature, estimator = run_options(folder), stature_of(folder), load_estimator(movenet)
    draw = load_drawer(options, "people")
    drawn, blind, targets = [], [], []
    for _, name, target in read_pairs(os.path.join(people_folder, "market-pairs-test.csv"))[::100]:
        pixels, other = (
            read_photograph(os.path.join(people_folder, "bounding_box_test", each))[0] for each in (name, target)
        )
        person = person_of(pixels, estimator.pose(pixels, name), stature, (128, 64), name, Clothes())
        pose = as_it_stands(estimator.pose(other, target), (128, 64), options.data, target)
        drawn.append(draw(person, [pose])[0].image)
        unlabeled = dataclasses.replace(person, labels=np.zeros_like(person.labels))
        blind.append(draw(unlabeled, [pose])[0].image)
        targets.append(other)
    targets, drawn, blind = map(np.stack, (targets, drawn, blind))
    assert len(targets) == 12
    assert np.mean(ssim(targets, drawn)) >= 0.54 and l1(targets, drawn).mean() <= 0.17  # of 60 pairs: .591, .153
    assert np.mean(ssim(targets, drawn)) > np.mean(ssim(targets, blind)) + 0.01
    assert l1(targets, drawn).mean() < l1(targets, blind).mean() - 0.01
