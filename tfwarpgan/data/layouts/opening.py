"""The data set that the options name: its layout, the fingerprint of its state, and what is missing."""

import collections
import dataclasses
import hashlib
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from tfwarpgan.data.layouts import deepfashion, folder, lip, market1501, people
from tfwarpgan.data.layouts.layout import Layout
from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.options import DataOptions, check_data_place
from tfwarpgan.storage.object_store import is_remote, local_copy

# The options that name what is read.
PATHS = ("data_dir", "parsing_dir", "keypoints", "keypoint_images", "train_pairs", "test_pairs", "lip_dir")
Source: TypeAlias = Layout | dict[str, list[lip.Row]]  # of LIP, the rows of each split
LAYOUTS: dict[str, type[Layout]] = {
    "people": market1501.Layout,
    "market1501": market1501.Layout,
    "deepfashion": deepfashion.Layout,
    "folder": folder.Layout,
}


def open_source(data_options: DataOptions) -> Source:
    """The data set that the options name: of --dataset=lip its rows, else its layout; see the two functions below.

    The files of a large data set are not listed: `pairs.joining` reads them part by part.
    """
    if data_options.dataset != "lip":
        return open_layout(data_options, in_parts=True)
    check_data_place(data_options)
    return open_lip(data_options)


def open_layout(data_options: DataOptions, *, in_parts: bool = False) -> Layout:
    """The layout of a data set of pairs; quick, since it reads no image.

    Args:
        data_options: `options.DataOptions`.
        in_parts: As `Layout` takes it.

    Raises:
        InputError: If something of it is missing; it says what to get and where to put it.
    """
    check_data_place(data_options)
    if data_options.dataset == "lip":
        raise InputError("--dataset=lip has no pairs; it only trains --stage=human_parser.")
    data_options = with_local_paths(data_options)
    data_dir = os.path.expanduser(data_options.data_dir) if data_options.data_dir else people.unpack()
    layout = LAYOUTS[data_options.dataset]
    return layout(data_dir, os.path.expanduser(data_options.parsing_dir), data_options, in_parts=in_parts)


def open_lip(data_options: DataOptions, *, on_error: OnError = raise_error) -> dict[str, list[lip.Row]]:
    """The rows of the LIP data set, see `lip.find_lip`; the folder is --lip_dir, or --data_dir."""
    data_options = with_local_paths(data_options)
    rows = lip.find_lip(
        data_options.lip_dir or data_options.data_dir,
        label_mapping=data_options.lip_label_mapping,
        ignore_label=data_options.ignore_label,
        follow_links=data_options.follow_links,
        on_error=on_error,
    )
    for split, images in rows.items():
        for name, count in collections.Counter(row[0] for row in images).items():
            if count > 1:
                on_error(InputError(f"{split}_id.txt names {name} {count} times; keep one of them."))
        if not images:
            on_error(InputError(f"{split}_id.txt names no usable image; it needs at least one."))
    return rows


def with_local_paths(data_options: DataOptions) -> DataOptions:
    """The options with local copies in place of what lies in object stores."""
    remote = {name: getattr(data_options, name) for name in PATHS if is_remote(getattr(data_options, name))}
    local: dict[str, Any] = {name: local_copy(path) for name, path in remote.items()}
    return dataclasses.replace(data_options, **local)


def fingerprint(layout: Layout) -> list[Any]:
    """Hash of where the data set lies, of its lists, and of the sizes and times of the files in its folders."""
    state = [os.path.realpath(layout.data_dir), os.path.realpath(layout.parsing_dir), layout.settings()]
    state += [stamp for root in layout.folders() for stamp in _stamps(root)]
    return state + [_content(path) for path in layout.lists()]


def lip_fingerprint(rows: Mapping[str, list[lip.Row]], label_mapping: str, ignore_label: int = -1) -> list[Any]:
    """As `fingerprint`, for the rows of `lip.find_lip`."""
    folders = {os.path.dirname(path) for split in rows.values() for row in split for path in row[1:]}
    state = [label_mapping, ignore_label, *((split, [row[0] for row in rows[split]]) for split in sorted(rows))]
    return state + [stamp for root in sorted(folders) for stamp in _stamps(root)]


def _stamps(root: str) -> list[tuple[str, int, int, int, int]]:
    """(path, time of change, number, bytes and sum of times of its files) of each folder, also of those behind links;
    0.2 s for 30,000 files.
    """
    stamps = []
    waiting, seen = [root], set()
    while waiting:
        place = os.path.realpath(waiting.pop())
        if place in seen or not os.path.isdir(place):
            continue
        seen.add(place)
        count = size = times = 0
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append(entry.path)
                elif entry.is_file():
                    state = entry.stat()
                    count, size, times = count + 1, size + state.st_size, times + state.st_mtime_ns
        stamps.append((place, os.stat(place).st_mtime_ns, count, size, times))
    return sorted(stamps)


def _content(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
