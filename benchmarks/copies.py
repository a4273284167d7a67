"""A data set several times over, under other names: what a larger one costs, without having one."""

import contextlib
import os
import re
import shutil
import tempfile

# The number of a person (of an outfit), in file names and in lists.
_NUMBERS = {"market1501": (r"\b(\d{4})_c", r"{copy}\1_c"), "deepfashion": (r"id(_?)\d\d", r"id\g<1>{copy:02d}")}


@contextlib.contextmanager
def copied(dataset, data_dir, copies):
    """A temporary folder that holds a data set `copies` times; its files are links where they can be.

    Args:
        dataset: "market1501" or "deepfashion".
        data_dir: Folder of the data set.
        copies: How many times.

    Yields:
        The folder.
    """
    pattern, replacement = _NUMBERS[dataset]
    with tempfile.TemporaryDirectory() as folder:
        for copy in range(1, copies + 1):
            new = replacement.format(copy=copy)
            for place, _, names in os.walk(os.path.expanduser(data_dir)):
                for name in names:
                    path = os.path.join(place, name)
                    relative = os.path.relpath(path, os.path.expanduser(data_dir))
                    if name.endswith(".csv"):
                        _append(path, os.path.join(folder, relative), pattern, new)
                    elif name.endswith((".jpg", ".png")):
                        _link(path, os.path.join(folder, re.sub(pattern, new, relative)))
        yield folder


def _append(path, target, pattern, new):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    is_new = not os.path.exists(target)
    with open(path, encoding="utf-8") as source, open(target, "a", encoding="utf-8") as file:
        header = source.readline()
        if is_new:
            file.write(header)
        file.writelines(re.sub(pattern, new, line.rstrip("\n")) + "\n" for line in source)


def _link(path, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
