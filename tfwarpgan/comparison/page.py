"""The page of a comparison: the table, and the same pairs as every row draws them, side by side."""

import glob
import html
import os
from collections.abc import Iterator, Mapping, Sequence

from tfwarpgan.comparison.formats import NOTHING, is_starred, number, spread
from tfwarpgan.comparison.results import Result
from tfwarpgan.comparison.table import Table
from tfwarpgan.viewing.pages import image_file, page

SHOWN = "even_pairs"  # folder in that of an evaluation, see `evaluation.report`


def to_html(table: Table, shown: Mapping[str, Result], lines: Sequence[str], title: str) -> str:
    """The text of the page, with its pictures inside.

    Args:
        table: The table.
        shown: Title of a row -> the evaluation whose pictures stand for it.
        lines: What is said below the table, see `formats.notes`.
        title: Of the page.
    """
    parts = [*_html_table(table), *_html_pictures(shown), "<h2>Notes</h2><ul>"]
    return page(title, [*parts, *(f"<li>{html.escape(line)}</li>" for line in lines), "</ul>"])


def _html_table(table: Table) -> Iterator[str]:
    arrows = {"higher": "↑", "lower": "↓", "one": "→ 1"}
    heads = (f"<th>{html.escape(metric.id)} {arrows[metric.goal]}</th>" for metric in table.metrics)
    yield f"<table><tr><th></th>{''.join(heads)}</tr>"
    for title in table.titles:
        cells = []
        for metric in table.metrics:
            cell, text = table.cells.get((title, metric.name)), NOTHING
            if cell is not None:
                mean = number(cell.mean)
                text = f"<b>{mean}</b>" if table.best.get(metric.name) == title else mean
                text += spread(table, cell, " ± ") + ("*" if is_starred(table, title, metric) else "")
            cells.append(f'<td class="number">{text}</td>')
        yield f"<tr><td>{html.escape(title)}</td>{''.join(cells)}</tr>"
    yield "</table>"


def _html_pictures(shown: Mapping[str, Result]) -> Iterator[str]:
    found = {title: result for title, result in shown.items() if os.path.isdir(os.path.join(result.folder, SHOWN))}
    if not found:
        return
    first = next(iter(found.values()))
    same = {title: result for title, result in found.items() if result.names == first.names}
    pairs = sorted(os.path.basename(path) for path in glob.glob(os.path.join(first.folder, SHOWN, "*_target.png")))
    yield f"<h2>{len(pairs)} pairs at even distances through the test list</h2><table>"
    yield f"<tr><th>condition</th><th>target</th>{''.join(f'<th>{html.escape(title)}</th>' for title in same)}</tr>"
    for name in pairs:
        cells = [_picture(first, name, "condition"), _picture(first, name, "target")]
        cells += [_picture(result, name, "synthesized", "generated") for result in same.values()]
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</table>"


def _picture(result: Result, name: str, *kinds: str) -> str:
    """The picture of a pair of the first kind that is there."""
    for kind in kinds:
        path = os.path.join(result.folder, SHOWN, name.replace("_target", f"_{kind}"))
        if os.path.isfile(path):
            return image_file(kind, path)
    return NOTHING
