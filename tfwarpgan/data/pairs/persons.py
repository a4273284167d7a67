"""Pairs of images of one person, and the persons that they make up.

The pair rule is pose-gan's: a pair is (condition, target), both images show one person (one outfit), and no person is
in both splits. Pairs come from a CSV file with the columns `from` and `to`, in any order of columns.
"""

import dataclasses
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from tfwarpgan.data.joints.formats import Annotations
from tfwarpgan.data.pairs import rule
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.typing import Joints, Visible

if TYPE_CHECKING:
    from tfwarpgan.data.layouts.layout import Layout

_DUPLICATE = "{}: the pair {}, {} is already in {}; remove one, or set --duplicate_pairs=keep."
_OF_ITSELF = "{}: {} is paired with itself, which teaches to copy; remove the pair, or set --self_pairs=keep."


@dataclasses.dataclass
class Person:
    """All that is known of one person (one outfit) in one split.

    Attributes:
        name: Unique in the data set.
        names: Names of the images as the joints' source writes them.
        images: Files of the images.
        label_maps: Files of their label maps; empty if the data set has none.
        joints: One float32 [18, 2] per image, (y, x) in its pixels.
        visible: One bool [18] per image.
        rows: Where each image's joints stand ("FILE, row N ..."), for messages.
        pairs: (condition, target) as positions in the lists above, in the order of the CSV file.
    """

    name: str
    names: list[str] = dataclasses.field(default_factory=list)
    images: list[ImageFile] = dataclasses.field(default_factory=list)
    label_maps: list[ImageFile] = dataclasses.field(default_factory=list)
    joints: list[Joints] = dataclasses.field(default_factory=list)
    visible: list[Visible] = dataclasses.field(default_factory=list)
    rows: list[str] = dataclasses.field(default_factory=list)
    pairs: list[tuple[int, int]] = dataclasses.field(default_factory=list)


def packed(person: Person) -> list[Any]:
    """A person as JSON can hold it; `unpacked` is the inverse."""
    files = [
        [[str(file), file.crop, file.labels, file.ignore] for file in each]
        for each in (person.images, person.label_maps)
    ]
    joints, visible = ([array.tolist() for array in arrays] for arrays in (person.joints, person.visible))
    return [person.name, person.names, *files, joints, visible, person.rows, person.pairs]


def unpacked(values: list[Any]) -> Person:
    """The person that `packed` gave these values of."""
    name, names, images, label_maps, joints, visible, rows, pairs = values

    def file(path: str, crop: list[int] | None, labels: list[int] | None, ignore: int) -> ImageFile:
        x, y, width, height = crop or (0, 0, 0, 0)
        return ImageFile(path, (x, y, width, height) if crop else None, tuple(labels) if labels else None, ignore)

    return Person(
        name,
        names,
        [file(*each) for each in images],
        [file(*each) for each in label_maps],
        [np.array(each, np.float32) for each in joints],
        [np.array(each, bool) for each in visible],
        rows,
        [(condition, target) for condition, target in pairs],
    )


def read_persons(layout: "Layout", split: str, *, on_error: OnError = raise_error) -> list[Person]:
    """The persons of one split: joints, images and pairs brought together.

    Args:
        layout: `layout.Layout`.
        split: "train" or "test".
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        list of `Person` that have pairs, in the order in which the pairs name them first; none for training with a
        data set that is only tested.

    Raises:
        InputError: If a file is missing, or a pair names an unknown image, two persons, nobody's joints, one image
            twice, or is listed twice.
    """
    if split == "train" and not layout.trains(on_error):
        return []
    joints_of = layout.joints(split, on_error=on_error)
    persons, places, reported = _persons_with_joints(joints_of, layout, on_error)
    if layout.builds_pairs:
        most = {"train": layout.data_options.max_train_pairs, "test": layout.data_options.max_test_pairs}[split]
        return rule.build_pairs(persons.values(), split, most, layout.data_options.split_seed)
    annotated = {layout.key(name) for name in joints_of}
    paired: dict[str, Person] = {}
    seen: dict[tuple[str, int, int], str] = {}
    for at, *names in layout.pairs(split, on_error=on_error):
        if not reported.isdisjoint(map(layout.key, names)):
            continue  # what is wrong with the image is told once, not with each of its pairs
        try:
            for name in names:
                if layout.key(name) not in places:
                    raise InputError(f"{at}: {_why_unknown(name, split, annotated, layout)}")
            (person, condition), (other, target) = (places[layout.key(name)] for name in names)
            if person != other:
                raise InputError(f"{at}: {names[0]} and {names[1]} show two persons; a pair must show one.")
            if condition == target and layout.data_options.self_pairs == "refuse":
                raise InputError(_OF_ITSELF.format(at, names[0]))
            earlier = seen.setdefault((person, condition, target), at)
            if earlier is not at and layout.data_options.duplicate_pairs == "refuse":
                raise InputError(_DUPLICATE.format(at, *names, earlier.rpartition(", ")[2]))
        except InputError as error:
            on_error(error)
            continue
        paired.setdefault(person, persons[person]).pairs.append((condition, target))
    return list(paired.values())


def join_persons(layout: "Layout", split: str) -> list[Person]:
    """As `read_persons`, all persons of a split that have joints, without pairs."""
    persons, _, _ = _persons_with_joints(layout.joints(split), layout, raise_error)
    return list(persons.values())


def check_disjoint(splits: Mapping[str, list[Person]]) -> None:
    """Refuses splits that share a person.

    Args:
        splits: dict of split name -> list of `Person`.

    Raises:
        InputError: Naming a person that is in two splits.
    """
    seen: dict[str, str] = {}
    for split, persons in splits.items():
        for person in persons:
            if seen.setdefault(person.name, split) != split:
                raise InputError(
                    f"Person {person.name} has pairs in both {seen[person.name]} and {split} "
                    f"({person.names[person.pairs[0][0]]}); remove one: no person may be in both splits."
                )


def _persons_with_joints(
    joints_of: Annotations, layout: "Layout", on_error: OnError
) -> tuple[dict[str, Person], dict[str | None, tuple[str, int]], set[str | None]]:
    """Persons by name, the place (person, position) of each image that shows a person with joints, and bad keys."""
    persons: dict[str, Person] = {}
    places: dict[str | None, tuple[str, int]] = {}
    reported: set[str | None] = set()
    for name, (joints, visible, at) in joints_of.items():
        key = layout.person(name)
        try:
            image = layout.image(name) or _missing(layout, name, at, "image")
            if key is None or not np.any(visible):
                continue
            if layout.has_label_maps:
                labels = layout.label_map(name) or _missing(layout, name, at, "label map")
        except InputError as error:
            on_error(error)
            reported.add(layout.key(name))
            continue
        person = persons.setdefault(key, Person(key))
        places[layout.key(name)] = (key, len(person.names))
        person.names.append(name)
        person.images.append(image)
        if layout.has_label_maps:
            person.label_maps.append(labels)
        person.joints.append(joints)
        person.visible.append(visible)
        person.rows.append(at)
    return persons, places, reported


def _missing(layout: "Layout", name: str, at: str, what: str) -> NoReturn:
    raise InputError(f"{at}: {layout.why_missing(name, what)}")


def _why_unknown(name: str, split: str, annotated: Collection[str | None], layout: "Layout") -> str:
    source = layout.joints_source(split)
    if layout.image(name) is None:
        return layout.why_missing(name)
    if layout.person(name) is None:
        return f"{name} is junk or a distractor, not a person; remove the pair."
    if layout.key(name) in annotated:
        return f"{name} has no joints in {source}; remove the pair."
    return f"{name} has no row in {source}; annotate it or remove the pair."
