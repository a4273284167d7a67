"""The data doctor's report as text: a summary table, then the problems, grouped."""

from __future__ import annotations

import collections
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfwarpgan.body.labels import LABELS
from tfwarpgan.data.doctor.facts import BACK, FRONT, SIDE, UNKNOWN

if TYPE_CHECKING:
    from tfwarpgan.data.doctor.examine import Report, Split

SHOWN = 20  # messages of a group in full; of the rest the rows are given
_PLACE = re.compile(r"^(?P<file>.*?), row (?P<row>\d+)(?: \(line \d+\))?: ")
_NAME = re.compile(r"'[^']*'|\S*[/\\]\S*|\S+\.\w{2,5}\b|-?\d[\d.,x]*")


def report_text(report: Report) -> str:
    """All of a `examine.Report`, to read."""
    parts = [report.title, "", summary_table(report), ""]
    if any(split.labels.any() for split in report.splits.values()):
        parts += [label_table(report), ""]
    for heading, problems in (
        ("Errors: training would fail", report.errors),
        ("Warnings: training would go on", report.warnings),
    ):
        groups = [(kind, messages) for kind, messages in problems.items() if messages]
        if groups:
            parts += [heading, *(line for kind, messages in groups for line in _group(kind, messages)), ""]
    errors, warnings = (sum(map(len, problems.values())) for problems in (report.errors, report.warnings))
    return "\n".join([*parts, f"{errors:,} errors, {warnings:,} warnings."]) + "\n"


def _group(kind: str, messages: Sequence[str]) -> list[str]:
    """The lines of a kind of problem, put together by what they say."""
    sayings: dict[str, list[str]] = {}
    for message in messages:
        sayings.setdefault(_saying(message), []).append(message)
    lines = []
    for saying, alike in sayings.items():
        lines.append(f"  {kind}: {len(alike):,} x {saying}" if len(alike) > 1 else f"  {kind}:")
        lines += [f"    {message}" for message in alike[:SHOWN]]
        if len(alike) > SHOWN:
            lines.append(f"    and {len(alike) - SHOWN:,} more: {_rows(alike[SHOWN:])}")
    return lines


def _saying(message: str) -> str:
    """A message without its place, names and numbers."""
    return " ".join(_NAME.sub("...", _PLACE.sub("", message)).split())


def _rows(messages: Sequence[str]) -> str:
    """The rows of messages, as FILE rows 1-3, 7."""
    rows: dict[str, list[int]] = {}
    others = 0
    for message in messages:
        place = _PLACE.match(message)
        if place:
            rows.setdefault(place["file"], []).append(int(place["row"]))
        else:
            others += 1
    texts = [f"{file} rows {_ranges(sorted(set(numbers)))}" for file, numbers in rows.items()]
    return "; ".join([*texts, *([f"{others:,} without a row"] if others else [])])


def _ranges(numbers: Sequence[int]) -> str:
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def summary_table(report: Report) -> str:
    """Counts, sizes, joints and shoulders of each split."""
    splits = report.splits
    rows = [["", *splits]]
    for name, values in (
        ("persons", [split.persons for split in splits.values()]),
        ("images", [split.images for split in splits.values()]),
        ("pairs", [split.pairs for split in splits.values()]),
        ("left out by the filter", [split.removed.total() for split in splits.values()]),
    ):
        rows.append([name, *("" if value is None else f"{value:,}" for value in values)])
    rows.append(["visible joints, median", *(_median(split.joints) for split in splits.values())])
    rows += _sizes(splits) + _shoulders(splits)
    strays = [(split.tally.stray, split.tally.visible - split.tally.stray) for split in splits.values()]
    rows.append(["joints that do not lie on the person", *(_share(*stray) for stray in strays)])
    rows.append(["limb joints on labels of their own side", *(_share(*split.limbs) for split in splits.values())])
    return _table([row for row in rows if row[0] == "" or any(row[1:])])


def _sizes(splits: Mapping[str, Split]) -> list[list[str]]:
    total = sum((split.sizes for split in splits.values()), collections.Counter())
    common = total.most_common(5)
    rows = [
        [f"size {width} x {height}", *(f"{split.sizes[height, width]:,}" for split in splits.values())]
        for (height, width), _ in common
    ]
    rest = len(total) - len(common)
    left = [split.sizes.total() - sum(split.sizes[size] for size, _ in common) for split in splits.values()]
    return rows + ([[f"{rest:,} other sizes", *(f"{count:,}" for count in left)]] if rest else [])


def _shoulders(splits: Mapping[str, Split]) -> list[list[str]]:
    rows = []
    for view in (FRONT, BACK, SIDE, UNKNOWN):
        counts = [(split.shoulders[view, True], split.shoulders[view, False]) for split in splits.values()]
        name = f"right shoulder left of the left one, seen from the {view}"
        if view == UNKNOWN:
            name = "the same, view not told"
        rows.append([name, *(_share(*count) for count in counts)])
    return rows


def _share(count: int, others: int) -> str:
    total = int(count) + int(others)
    return f"{100 * count / total:.1f} % of {total:,}" if total else ""


def _median(counter: Mapping[int, int]) -> str:
    if not counter:
        return ""
    values = np.repeat(list(counter), list(counter.values()))
    return f"{np.median(values):g}"


def label_table(report: Report) -> str:
    """Each label's share of the pixels and of the images, by split."""
    splits = report.splits
    rows = [["label", *(f"{name} pixels" for name in splits), *(f"{name} images" for name in splits)]]
    for number, label in enumerate(LABELS):
        pixels = [_percent(split.labels[number], int(split.labels.sum())) for split in splits.values()]
        images = [_percent(split.with_label[number], split.images) for split in splits.values()]
        rows.append([f"{number:2d} {label}", *pixels, *images])
    return _table(rows)


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.2f} %" if count else "-"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
