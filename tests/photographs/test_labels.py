"""The human parser of a release is believed where it shows a person, and the joints otherwise."""

import numpy as np
import pytest

from tfwarpgan.body.labels import LABELS
from tfwarpgan.photographs.clothes import Clothes
from tfwarpgan.photographs.drawn_labels import draw_labels
from tfwarpgan.photographs.labels import Checked


@pytest.mark.parametrize("seen, believed", [(1.0, True), (0.8, True), (0.5, False), (0.0, False)])
def test_fragments_are_not_believed(people, capsys, seen, believed):
    """A parser that finds the upper part of the person, and calls it a dress."""
    someone = people[0]
    found = np.where(someone.labels > 0, LABELS.index("dress"), 0).astype(np.uint8)
    rows = np.flatnonzero(found.any(axis=1))
    found[rows[0] + round(seen * len(rows)) :] = 0
    labels = Checked(lambda image: found).label(someone.pixels, (someone.joints, someone.visible))
    drawn = draw_labels(someone.pixels, someone.joints, someone.visible, Clothes())
    np.testing.assert_array_equal(labels, found if believed else drawn)
    assert ("does not make out the person" in capsys.readouterr().err) != believed
