"""The LIP data set (Gong et al., "Look into Person", CVPR 2017): the human parser's training images.

Layout, with the folder names doubled as the archives unpack, or single:

    TrainVal_images/[TrainVal_images/]{train,val}_images/NAME.jpg
    TrainVal_parsing_annotations/[TrainVal_parsing_annotations/]{train,val}_segmentations/NAME.png
    {train,val}_id.txt, at the top or in TrainVal_images

Any set of images with label maps can be brought into this layout, or several merged; the names are free.
"""

import functools
import os
from collections.abc import Callable, Iterable
from typing import TypeAlias

from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.pictures.files import ImageFile, inside
from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.storage.tables import read_names

LAYOUT = "LIP's layout: TrainVal_images, TrainVal_parsing_annotations, train_id.txt and val_id.txt"

Row: TypeAlias = tuple[str, str, str]  # name, image, label map


def find_lip(
    lip_dir: str,
    *,
    label_mapping: str = "lip_20",
    ignore_label: int = -1,
    follow_links: bool = False,
    on_error: OnError = raise_error,
) -> dict[str, list[Row]]:
    """The images of both splits, in the order of the id lists.

    Args:
        lip_dir: Folder of the data set.
        label_mapping: What the labels of its maps are, as `label_mappings.to_lip` takes it.
        ignore_label: Label that counts as background; below 0: none.
        follow_links: Whether links may lead out of the folders.
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        {"train": rows, "val": rows}; a row is (name, image path, label map path).

    Raises:
        InputError: If the folder, an id list or a file that it names is missing.
    """
    root = os.path.expanduser(lip_dir)
    if not lip_dir or not os.path.isdir(root):
        said = f"--lip_dir={lip_dir} is not a folder" if lip_dir else "--lip_dir is missing"
        raise InputError(
            f"{said}: get the single-person LIP data set (lip.sysuhcp.com), unpack its "
            f"TrainVal_images.zip and TrainVal_parsing_annotations.zip there and name that folder ({LAYOUT})."
        )
    labels = to_lip(label_mapping)
    make = functools.partial(ImageFile, labels=labels, ignore=ignore_label)
    return {split: _rows(root, split, make, follow_links, on_error) for split in ("train", "val")}


def _rows(
    root: str, split: str, label_map_of: Callable[[str], ImageFile], follow_links: bool, on_error: OnError
) -> list[Row]:
    id_list = _first_existing(root, [f"{split}_id.txt", f"TrainVal_images/{split}_id.txt"])
    images = _first_existing(root, _spellings("TrainVal_images", f"{split}_images"))
    labels = _first_existing(root, _spellings("TrainVal_parsing_annotations", f"{split}_segmentations"))
    rows: list[Row] = []
    for number, name in read_names(id_list):
        try:
            image, label_map = (
                inside(folder, name + suffix, follow_links=follow_links)
                for folder, suffix in ((images, ".jpg"), (labels, ".png"))
            )
            for path in (image, label_map):
                if not os.path.isfile(path):
                    raise InputError(f"{path} is missing; unpack the data set again.")
        except InputError as error:
            on_error(InputError(f"{id_list}, row {number}: {error}"))
            continue
        rows.append((name, image, label_map_of(label_map)))
    return rows


def _spellings(archive: str, folder: str) -> list[str]:
    return [f"{archive}/{archive}/{folder}", f"{archive}/{folder}"]


def _first_existing(root: str, places: Iterable[str]) -> str:
    for place in places:
        if os.path.exists(os.path.join(root, place)):
            return os.path.join(root, place)
    raise InputError(f"--lip_dir={root} has no {' or '.join(places)}; it must have the layout {LAYOUT}.")
