"""Which data set the options name: its layout, what its state is called, and what is missing."""

import hashlib
import os

from tfwarpgan.data import deepfashion, market1501, people
from tfwarpgan.data.pairs import SPLITS
from tfwarpgan.options import check_data_place

LAYOUTS = {"people": market1501.Layout, "market1501": market1501.Layout, "deepfashion": deepfashion.Layout}


def open_layout(data):
    """The layout of a data set of pairs; reads no picture.

    Args:
        data: `options.DataOptions`.

    Raises:
        InputError: If something of it is missing; it says what to get and where to put it.
    """
    check_data_place(data)
    data_dir = os.path.expanduser(data.data_dir) if data.data_dir else people.unpack()
    return LAYOUTS[data.dataset](data_dir, os.path.expanduser(data.parsing_dir))


def fingerprint(layout):
    """Hash of where the data set lies, of its lists, and of when files last came to or left its folders."""
    state = [os.path.realpath(layout.data_dir), os.path.realpath(layout.parsing_dir)]
    state += [stamp for root in layout.folders() for stamp in _stamps(root)]
    state += [_content(path(split)) for split in SPLITS for path in (layout.annotation_csv, layout.pairs_csv)]
    return state


def lip_fingerprint(rows):
    """As `fingerprint`, for the rows of `lip.find_lip`."""
    folders = {os.path.dirname(path) for split in rows.values() for row in split for path in row[1:]}
    state = [(split, [row[0] for row in rows[split]]) for split in sorted(rows)]
    return state + [stamp for root in sorted(folders) for stamp in _stamps(root)]


def _stamps(root):
    return [(folder, os.stat(folder).st_mtime_ns) for folder, _, _ in sorted(os.walk(os.path.realpath(root)))]


def _content(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
