"""Label maps of other parsers and data sets, translated to and from the 20 labels of LIP.

A mapping is a table with one LIP label for each label of the other set. What the other set merges (both arms, both
legs) becomes the left one, since the map itself cannot tell sides; what LIP has no label for becomes what covers it.
"""

import dataclasses
import re

import numpy as np

from tfwarpgan.body.labels import LABELS, NUM_LABELS
from tfwarpgan.errors import InputError

_LIP = tuple(range(NUM_LABELS))


@dataclasses.dataclass(frozen=True)
class LabelMapping:
    """Two tables between a set of labels and LIP's.

    Attributes:
        name: As --label_mapping takes it.
        labels: Names of the other set's labels, in their order.
        to_lip: The LIP label of each of them.
        from_lip: Their label for each of LIP's 20.
    """

    name: str
    labels: tuple
    to_lip: tuple
    from_lip: tuple


MAPPINGS = {
    mapping.name: mapping
    for mapping in (
        LabelMapping(
            "lip_20",
            LABELS,
            _LIP,
            _LIP,
        ),
        # Liang et al., "Deep Human Parsing with Active Template Regression", TPAMI 2015. A belt is worn on trousers, a
        # bag is no part of a person. ATR has no gloves, coats, socks and jumpsuits: they become the garment nearest to
        # them that has no side.
        LabelMapping(
            "atr_18",
            ("background", "hat", "hair", "sunglasses", "upper-clothes", "skirt", "pants", "dress", "belt", "left-shoe",
             "right-shoe", "face", "left-leg", "right-leg", "left-arm", "right-arm", "bag", "scarf"),
            (0, 1, 2, 4, 5, 12, 9, 6, 9, 18, 19, 13, 16, 17, 14, 15, 0, 11),
            (0, 1, 2, 4, 3, 4, 7, 4, 6, 6, 7, 17, 5, 11, 14, 15, 12, 13, 9, 10),
        ),
        # Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018. As LIP, but for 10: the skin
        # of neck and chest, which LIP has in the face, in the place of jumpsuits, which become dresses.
        LabelMapping(
            "cihp_20",
            (*LABELS[:10], "torso-skin", *LABELS[11:]),
            (*_LIP[:10], 13, *_LIP[11:]),
            (*_LIP[:10], 6, *_LIP[11:]),
        ),
        # The merge of Men et al., "Controllable Person Image Synthesis with Attribute-Decomposed GAN", CVPR 2020, as
        # its authors state it for CIHP's labels. LIP's jumpsuits, which CIHP has not, go where dresses do.
        LabelMapping(
            "adgan_8",
            ("background", "pants", "hair", "skirt", "face", "upper-clothes", "arms", "legs"),
            (0, 9, 2, 12, 13, 5, 14, 16),
            (0, 2, 2, 6, 4, 5, 5, 5, 7, 1, 5, 5, 3, 4, 6, 6, 7, 7, 7, 7),
        ),
    )
}  # fmt: skip


def to_lip(text, flag="label_mapping"):
    """The table that a --label_mapping names.

    Args:
        text: Name of a mapping, or the LIP label of each label of the files, separated by commas.
        flag: What it is called on the command line.

    Returns:
        Tuple of LIP labels, one for each label of the files; None where they are LIP's already.

    Raises:
        InputError: If it is neither.
    """
    if text in MAPPINGS:
        return None if text == "lip_20" else MAPPINGS[text].to_lip
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) > 256 or not all(re.fullmatch(r"1?[0-9]", cell) for cell in cells):
        raise InputError(
            f"--{flag}={text[:80]} is none of {', '.join(MAPPINGS)} and no list of LIP labels 0 to 19, "
            "separated by commas, one for each label of the files."
        )
    return tuple(int(cell) for cell in cells)


def translate(labels, table):
    """Replaces each label by its entry in the table.

    Args:
        labels: uint8 [...], each below the table's length.
        table: Sequence of labels.

    Returns:
        uint8 [...].
    """
    return np.asarray(table, np.uint8)[labels]
