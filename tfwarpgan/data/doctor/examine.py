"""The data doctor: reads a whole data set as training would, and reports everything that is wrong with it at once.

An error is what preparing, and so training, would refuse; a warning is what it would accept but you should know:
people or images in both splits, joints that seem to be mirrored, labels that never occur in training.
"""

import collections
import dataclasses
import functools
import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tqdm

from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.data.doctor.facts import Facts, examine_person, examine_row
from tfwarpgan.data.doctor.judge import judge
from tfwarpgan.data.doctor.text import report_text
from tfwarpgan.data.joints.stray import FEWEST, Tally
from tfwarpgan.data.layouts import opening
from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pairs import coverage, filters
from tfwarpgan.data.pairs.persons import Person, read_persons
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.data.workers import ordered_map
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Joints, Size, Visible

Counts: TypeAlias = npt.NDArray[np.int64]


@dataclasses.dataclass
class Split:
    """The sums over a split.

    Attributes:
        persons: Number of persons; None for LIP.
        images: Number of images that training would see.
        pairs: Number of pairs, without those that the filter leaves out; None for LIP.
        removed: Number of images that the filter leaves out, by rule.
        sizes: Number of images by (height, width).
        labels: Number of pixels of each label, int64 [20].
        with_label: Number of images on which a label occurs, int64 [20].
        joints: Number of images by their number of visible joints.
        shoulders: (view, right shoulder lies left of the left one) -> number of images.
        limbs: Numbers of limb joints on a label of their own and of the other side.
        tally: Numbers of joints that do not lie on the person.
        digests: Hash of an image's pixels -> where it stands first.
    """

    persons: int | None = None
    images: int = 0
    pairs: int | None = None
    removed: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    sizes: collections.Counter[Size] = dataclasses.field(default_factory=collections.Counter)
    labels: Counts = dataclasses.field(default_factory=lambda: np.zeros(NUM_LABELS, np.int64))
    with_label: Counts = dataclasses.field(default_factory=lambda: np.zeros(NUM_LABELS, np.int64))
    joints: collections.Counter[int] = dataclasses.field(default_factory=collections.Counter)
    shoulders: collections.Counter[tuple[str, bool | None]] = dataclasses.field(default_factory=collections.Counter)
    limbs: Counts = dataclasses.field(default_factory=lambda: np.zeros(2, np.int64))
    tally: Tally = dataclasses.field(default_factory=Tally)
    digests: dict[bytes | None, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Sample:
    """An image for the page; joints and visible are None for LIP, and `note` says why it was chosen.

    The label map is None where the data set has none.
    """

    split: str
    name: str
    image: str
    label_map: str | None
    joints: Joints | None = None
    visible: Visible | None = None
    note: str = ""


@dataclasses.dataclass
class Report:
    """What the doctor found.

    Attributes:
        title: Which data set.
        errors: Kind -> messages of what training would refuse.
        warnings: Kind -> messages of what it would take.
        splits: Name -> `Split`.
        samples: list of `Sample`: the images with the largest shares of stray joints, worst first, then some at even
            distances through the data.
    """

    title: str
    errors: dict[str, list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    warnings: dict[str, list[str]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    splits: dict[str, Split] = dataclasses.field(default_factory=dict)
    samples: list[Sample] = dataclasses.field(default_factory=list)

    @property
    def is_fatal(self) -> bool:
        """Whether training would fail."""
        return any(self.errors.values())

    def text(self) -> str:
        """All of it, to read."""
        return report_text(self)


def examine(data_options: DataOptions, workers: int = 0, samples: int = 0) -> Report:
    """Reads a data set as preparing does, without writing anything.

    Args:
        data_options: `options.DataOptions`.
        workers: Number of processes; 0: one per core.
        samples: Number of samples to give with the report.

    Returns:
        A `Report`; user errors are in it and are not raised.
    """
    places = {
        "data_dir": data_options.data_dir,
        "lip_dir": data_options.lip_dir if data_options.dataset == "lip" else "",
    }
    report = Report(
        " ".join([f"--dataset={data_options.dataset}", *(f"--{flag}={at}" for flag, at in places.items() if at)])
    )
    items, function = _read_lists(data_options, report)
    progress = tqdm.tqdm(
        total=sum(map(len, items.values())), desc="checking", unit=" rows", mininterval=0.5, smoothing=0.1
    )
    worst: list[tuple[float, int, int, Sample]] = []  # a heap, by shares of stray joints
    number = itertools.count(0, -1)
    with progress:
        for split, of_split in items.items():
            sums = report.splits.setdefault(split, Split())
            for item, facts in zip(of_split, ordered_map(function, of_split, workers)):
                for place, one in enumerate(facts):
                    _add(report, split, sums, one)
                    if samples and one.tally and one.tally.stray:
                        sample = _sample(split, item, place, _note(one.tally))
                        rank = one.tally.share, one.tally.stray, next(number)
                        (heapq.heappushpop if len(worst) >= samples // 2 else heapq.heappush)(worst, (*rank, sample))
                _take_pairs_of_removed(sums, item, facts)
                progress.update()
            if of_split and sums.pairs == 0:
                report.errors["filter"].append(f"The filter leaves no pair of {split}; relax its limits.")
    judge(report, data_options)
    report.samples = [sample for *_, sample in sorted(worst, reverse=True)]
    report.samples += _samples(items, samples - len(report.samples))
    return report


def _read_lists(
    data_options: DataOptions, report: Report
) -> tuple[Mapping[str, Sequence[Any]], Callable[[Any], list[Facts]]]:
    """The items of each split, and the function that examines one."""
    on_error = functools.partial(_keep, report.errors["lists"])
    try:
        if data_options.dataset == "lip":
            return opening.open_lip(data_options, on_error=on_error), examine_row
        layout = opening.open_layout(data_options)
    except InputError as error:
        on_error(error)
        return {}, examine_row
    persons = {}
    for split in SPLITS:
        try:
            persons[split] = read_persons(layout, split, on_error=on_error)
        except InputError as error:
            on_error(error)
            persons[split] = []
            _add_pairs(report, split, [])
            continue
        _add_pairs(report, split, persons[split], split == "test" or layout.trains())
    _check_persons(report, persons)
    if any(persons.values()):
        report.warnings["images and joints that are not used"] += coverage.notes(layout)
    return persons, functools.partial(examine_person, data_options=data_options)


def _keep(messages: list[str], error: InputError) -> None:
    message = str(error)
    if message not in messages[-1:]:
        messages.append(message)


def _add_pairs(report: Report, split: str, persons: Sequence[Person], is_wanted: bool = True) -> None:
    report.splits[split] = Split(persons=len(persons), pairs=sum(len(person.pairs) for person in persons))
    if not persons and is_wanted:
        report.errors["lists"].append(f"The {split} split has no pair that could be used; it needs at least one.")
    for person in persons:
        for (first, second), count in collections.Counter(person.pairs).items():
            names = f"{split}: {person.names[first]},{person.names[second]}"
            if count > 1:
                report.warnings["pairs that are listed more than once"].append(f"{names} is listed {count} times.")
            if first == second:
                report.warnings["pairs of an image with itself"].append(f"{names} is one image.")


def _check_persons(report: Report, persons: Mapping[str, Sequence[Person]]) -> None:
    train, test = ({person.name: person for person in persons[split]} for split in SPLITS)
    for name in train:
        if name in test:
            rows = train[name].rows[0], test[name].rows[0]
            report.errors["persons in both splits"].append(
                f"{rows[1]}: person {name} has pairs in test, and in train too ({rows[0]}); remove one."
            )


def _add(report: Report, split: str, sums: Split, facts: Facts) -> None:
    """Adds the facts of an image to the sums of its split, and its problems to the report."""
    for kind, message in facts.errors:
        report.errors[kind].append(message)
    if facts.removed:
        sums.removed[facts.removed] += 1
        return
    sums.images += 1
    if facts.size:
        sums.sizes[facts.size] += 1
        _add_digest(report, split, sums, facts)
    if facts.labels is not None:
        sums.labels += facts.labels
        sums.with_label += facts.labels > 0
        if not facts.labels[1:].any():
            report.warnings["label maps without a person"].append(f"{facts.row}: the label map is all background.")
    if facts.joints is not None:
        sums.joints[facts.joints] += 1
        sums.shoulders[facts.view, facts.shoulders] += 1
        sums.limbs += (facts.own_side, facts.other_side)
    if facts.tally:
        sums.tally.add(facts.tally)
        if facts.tally.stray >= FEWEST and 2 * facts.tally.stray > facts.tally.visible or facts.tally.odd:
            what = facts.tally.reason or f"{_note(facts.tally)}: {facts.tally.cause()}"
            report.warnings["joints that do not lie on the person"].append(f"{facts.row}: {what}.")
    rivals = getattr(facts.row, "rivals", 0)
    if rivals:
        report.warnings["other people near as good"].append(
            f"{facts.row}: {facts.name} has {rivals} other {'body' if rivals == 1 else 'bodies'} near as good as "
            "the one that was taken."
        )
    if facts.cut:
        report.warnings["joints that the framing cuts off"].append(f"{facts.row}: {facts.cut} joints.")
    if facts.beyond:
        report.warnings["joints just outside of their image"].append(f"{facts.row}: {facts.beyond} joints.")


def _take_pairs_of_removed(sums: Split, item: Any, facts: Sequence[Facts]) -> None:
    removed = {place for place, one in enumerate(facts) if one.removed}
    if removed:
        left = filters.without(item, removed).pairs
        sums.pairs = (sums.pairs or 0) - len(item.pairs) + len(left)


def _add_digest(report: Report, split: str, sums: Split, facts: Facts) -> None:
    for other, of_other in report.splits.items():
        if facts.digest in of_other.digests:
            kind = "identical images in one split" if other == split else "identical images in both splits"
            where = f"{facts.row} ({split}): {facts.name} has the pixels of"
            report.warnings[kind].append(f"{where} {of_other.digests[facts.digest]} ({other}).")
            break
    sums.digests.setdefault(facts.digest, facts.name)


def _note(tally: Tally) -> str:
    return f"{tally.stray} of {tally.visible} joints do not lie on the person"


def _samples(items: Mapping[str, Sequence[Any]], count: int) -> list[Sample]:
    """Samples at even distances, from each split as many as its share of the rows, and one at least."""
    total = sum(map(len, items.values()))
    samples = []
    for split, of_split in items.items():
        wanted = min(len(of_split), max(1, round(count * len(of_split) / max(total, 1)))) if count else 0
        for place in np.linspace(0, len(of_split) - 1, wanted).astype(int):
            samples.append(_sample(split, of_split[place], int(place)))
    return samples


def _sample(split: str, item: Person | Row, place: int, note: str = "") -> Sample:
    if isinstance(item, tuple):
        return Sample(split, *item)
    which = place % len(item.names)  # not always the first image, which may be of the same camera for all
    label_map = item.label_maps[which] if item.label_maps else None
    return Sample(
        split, item.names[which], item.images[which], label_map, item.joints[which], item.visible[which], note
    )
