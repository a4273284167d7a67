"""The lists of a data set brought together: in memory, or, where they are larger than that, part by part.

All that is known of a person lies under that person's name. So rows of images, label maps, joints and pairs are spread
over files by a hash of that name, and each part is then joined in memory as a small data set is (a Grace hash join,
Kitsuregawa et al. 1983). Memory is that of one part, however many persons there are.
"""

import contextlib
import tempfile
import zlib
from collections.abc import Callable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tfwarpgan.data.joints.pose_gan import collect_rows, iterate_annotation_rows
from tfwarpgan.data.pairs import rule
from tfwarpgan.data.pairs.coverage import Coverage
from tfwarpgan.data.pairs.persons import Person, check_disjoint, join_persons, packed, read_persons, unpacked
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.errors import InputError
from tfwarpgan.storage.spool import Spool

if TYPE_CHECKING:
    from tfwarpgan.data.layouts.layout import Layout

Persons: TypeAlias = MutableSequence[Person] | Spool[Person]
NewPersons: TypeAlias = Callable[[], Any]  # makes an empty `Persons`


@contextlib.contextmanager
def joined(layout: "Layout") -> Iterator[tuple[dict[str, Persons], NewPersons, Coverage]]:
    """The persons of both splits, of which none is in both.

    Args:
        layout: `layout.Layout`.

    Yields:
        (dict of "train" and "test" -> `Persons`, a function that makes an empty one, for what is made of them, the
        `Coverage`). Persons of a large data set lie in temporary files, which are removed at the end.

    Raises:
        InputError: As `persons.read_persons` and `persons.check_disjoint`.
    """
    found = Coverage()
    if layout.num_parts == 1:
        persons = {split: read_persons(layout, split) for split in SPLITS}
        check_disjoint(persons)
        found.add(layout)
        yield dict(persons), list, found
        return
    with tempfile.TemporaryDirectory(prefix="tfwarpgan_lists_") as folder:
        yield _join_parts(layout, folder, found), lambda: _people(folder), found


def _people(folder: str) -> Spool[Person]:
    return Spool(folder, packed, unpacked)


def _join_parts(layout: "Layout", folder: str, coverage: Coverage) -> dict[str, Persons]:
    found = {split: _people(folder) for split in SPLITS}
    for part in _spread(layout, folder):
        persons = {split: _persons_of_part(part, split) for split in SPLITS}
        check_disjoint(persons)
        coverage.add(part)
        for split, of_split in persons.items():
            for person in of_split:
                found[split].append(person)
        del part, persons, of_split  # before the next one is read
    if layout.builds_pairs:
        return {split: _with_pairs(layout, split, persons, _people(folder)) for split, persons in found.items()}
    return dict(found)


def _persons_of_part(part: "Layout", split: str) -> list[Person]:
    """The persons with their pairs, or, where pairs are built by the rule, with none yet."""
    if not part.builds_pairs:
        return read_persons(part, split)
    persons = join_persons(part, split)
    for person in persons:
        person.pairs = []
    return [person for person in persons if rule.count_pairs(person.visible)]


def _with_pairs(layout: "Layout", split: str, persons: Spool[Person], found: Spool[Person]) -> Spool[Person]:
    """The persons with the pairs that are drawn for them."""
    if not len(persons) and (split == "test" or not layout.is_test_only):
        raise rule.no_pairs(split, 0)
    options = layout.data_options
    most = {"train": options.max_train_pairs, "test": options.max_test_pairs}[split]
    count = sum(rule.count_pairs(person.visible) for person in persons)
    drawn = rule.draw(count, split, most, options.split_seed)
    start = 0
    for person in persons:
        of_person = rule.count_pairs(person.visible)
        person.pairs = rule.person_pairs(
            person.visible, None if drawn is None else rule.part_of(drawn, start, of_person)
        )
        start += of_person
        if person.pairs:
            found.append(person)
    return found


def _spread(layout: "Layout", folder: str) -> Iterator["Layout"]:
    """The parts of a data set, each with all rows of some persons."""
    parts = [Spool(folder, _packed_row, _unpacked_row) for _ in range(layout.num_parts)]
    for kind, name, row in _rows(layout):
        person = (layout.person(name) or name).casefold()
        parts[zlib.crc32(person.encode()) % len(parts)].append((kind, row))
    for rows in parts:
        yield _part(layout, rows)


def _packed_row(row: tuple[str, Any]) -> Any:
    kind, values = row
    return [kind, [value.tolist() if isinstance(value, np.ndarray) else value for value in values]]


def _unpacked_row(packed_row: Any) -> tuple[str, Any]:
    kind, values = packed_row
    if len(values) == 4:  # an annotation, the only row with arrays
        name, joints, visible, number = values
        return kind, (name, np.array(joints, np.float32), np.array(visible, bool), number)
    return kind, tuple(values)


def _rows(layout: "Layout") -> Iterator[tuple[str, str, Any]]:
    """(kind, name, row) of everything that the data set has."""
    yield from (("image", key, (key, path)) for key, path in layout.iterate_images())
    yield from (("label map", key, (key, path)) for key, path in layout.iterate_label_maps())
    for path in dict.fromkeys(map(layout.joints_source, layout.listed_splits)):
        for annotation in iterate_annotation_rows(path, missing=layout.missing_joint):
            yield path, annotation[0], annotation
    for split in () if layout.builds_pairs else layout.listed_splits:
        for at, first, second in layout.pairs(split):
            if layout.person(first) != layout.person(second):
                raise InputError(f"{at}: {first} and {second} show two persons; a pair must show one.")
            yield split, first, (at, first, second)


def _part(layout: "Layout", rows: Spool[tuple[str, Any]]) -> "Layout":
    files: dict[str, dict[str, str]] = {"image": {}, "label map": {}}
    joints: dict[str, list[Any]] = {path: [] for path in map(layout.joints_source, SPLITS)}
    pairs: dict[str, list[Any]] = {split: [] for split in SPLITS}
    once: dict[str, str] = {}  # a name comes in many pairs
    for kind, row in rows:
        if kind in files:
            files[kind].setdefault(*row)
        elif kind in joints:
            joints[kind].append(row)
        else:
            at, *names = row
            pairs[kind].append((at, *(once.setdefault(name, name) for name in names)))
    annotations = {path: collect_rows(path, of_path) for path, of_path in joints.items()}
    return layout.part(files["image"], files["label map"], annotations, pairs)
