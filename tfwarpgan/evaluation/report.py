"""The report of an evaluation: metrics with their protocols and baselines, a table, a grid and a page of pictures.

    metrics.json   every metric with its id, its protocol, all that it depends on, and the baselines beside it
    metrics.txt    the same as a table
    pairs.csv      the numbers of each pair
    grid.png       pairs at even distances through the test list: not chosen by their score
    even_pairs/    its pictures one by one, which pages of comparisons show
    index.html     the best, median and worst pairs by SSIM, and pairs by size of the pose change, with their pictures
                   inside the file

Each file is written under another name and then renamed: a report is never half-written.
"""

import csv
import dataclasses
import html
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.labels import LABELS
from tfwarpgan.evaluation.baselines import NAMES as BASELINES
from tfwarpgan.evaluation.metrics.pose_change import THIRDS
from tfwarpgan.evaluation.results import MODEL, Evaluation, Result
from tfwarpgan.storage.writing import save_png, write_atomically
from tfwarpgan.typing import Array, Picture
from tfwarpgan.viewing.drawing import grid
from tfwarpgan.viewing.pages import image, page

Positions: TypeAlias = npt.NDArray[np.intp]  # of pairs in the test list
Pictures: TypeAlias = Mapping[int, Mapping[str, Picture]]  # position -> title -> picture

SHOWN_DIR = "even_pairs"
SHOWN = {"condition", "synthesized", "generated", "target"}
HEADER = ["metric", MODEL, *BASELINES, "beats baselines"]


def chosen_pairs(evaluation: Evaluation, count: int = 20, metric: str = "ssim_gaussian") -> dict[str, Positions]:
    """Positions of the best, the median and the worst pairs: title of a section -> positions, the best first."""
    ranking = evaluation.ranking(metric)
    count = min(count, len(ranking))
    middle = (len(ranking) - count) // 2
    parts = {"Best": ranking[:count], "Median": ranking[middle : middle + count], "Worst": ranking[-count:]}
    return {f"{title} by SSIM": positions for title, positions in parts.items()}


def pairs_by_pose_change(evaluation: Evaluation) -> dict[str, Positions]:
    """Positions of the pairs in three equal parts, by the size of their change of pose: title -> positions.

    Within a part in order of the test list; pairs that share no joint are in none.
    """
    known = np.flatnonzero(np.isfinite(evaluation.pose_change))
    order = known[np.argsort(evaluation.pose_change[known], kind="stable")]
    return {title: np.sort(part) for title, part in zip(THIRDS, np.array_split(order, len(THIRDS)))}


def shown_by_pose_change(evaluation: Evaluation, count: int = 20) -> dict[str, Positions]:
    """Pairs at even distances through each part of `pairs_by_pose_change`: title of a section -> positions."""
    parts = pairs_by_pose_change(evaluation)
    return {
        f"{title} changes of pose": part[np.unique(np.linspace(0, len(part) - 1, min(count, len(part))).astype(int))]
        for title, part in parts.items()
        if len(part)
    }


def sections(evaluation: Evaluation, count: int = 20) -> dict[str, Positions]:
    """The pairs that the page shows: title of a section -> positions."""
    return {**chosen_pairs(evaluation, count), **shown_by_pose_change(evaluation, count)}


def even_pairs(evaluation: Evaluation, count: int = 10) -> Positions:
    """Positions of pairs at even distances through the test list."""
    return np.unique(np.linspace(0, len(evaluation) - 1, count).astype(int))


def to_json(evaluation: Evaluation, facts: Mapping[str, Any] | None = None) -> str:
    """The metrics as JSON text; a number that is not finite is null.

    Args:
        evaluation: An `Evaluation`.
        facts: What else the numbers depend on (data set, size, pairs of the mean image): name -> value.
    """
    content = {
        "pairs": len(evaluation),
        **(facts or {}),
        "measurement": dataclasses.asdict(evaluation.measurement),
        "metrics": {result.name: _entry(result, len(evaluation)) for result in evaluation.metrics},
    }
    return json.dumps(content, indent=2) + "\n"


def _entry(result: Result, pairs: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": result.id, "protocol": result.protocol, "measured": result.measured}
    entry |= {"goal": result.goal, "pairs": pairs, "count": result.count, MODEL: _finite(result.model)}
    if result.spread is not None:
        entry["spread"] = _finite(result.spread)
    if result.beside:
        entry["beside"] = {name: _finite(value) for name, value in result.beside.items()}
    entry["baselines"] = {name: _finite(value) for name, value in result.baselines.items()}
    entry["beats_baselines"] = result.beats_baselines
    if result.by_label:
        entry["by_label"] = {label: _finite(value) for label, value in zip(LABELS, result.by_label)}
    return entry


def _mean(values: Array) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def to_table(evaluation: Evaluation) -> str:
    """The metrics as a table to read: one line per metric, and under it what each depends on, and its protocol."""
    lines = [f"{len(evaluation)} test pairs", ""]
    rows = [HEADER, *(_row(result) for result in evaluation.metrics)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    for result in evaluation.metrics:
        beside = "".join(f"; {name} {value:.6g}" for name, value in result.beside.items())
        lines += ["", f"{result.measured}{beside}", f"    {result.protocol}"]
    return "\n".join(lines) + "\n"


def _row(result: Result) -> list[str]:
    baselines = [f"{result.baselines[name]:.4f}" if name in result.baselines else "-" for name in BASELINES]
    name = f"{result.id} ({'1 is best' if result.goal == 'one' else result.goal + ' is better'})"
    spread = "" if result.spread is None else f" +- {result.spread:.4f}"
    beats = {True: "yes", False: "NO", None: "-"}[result.beats_baselines]
    return [name, f"{result.model:.4f}{spread}", *baselines, beats]


def to_csv(evaluation: Evaluation) -> str:
    """The metrics of each pair as CSV text."""
    columns = {f"{name}_{who}": values for name, scores in evaluation.pairs.items() for who, values in scores.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["from", "to", *columns])
    for names, *values in zip(evaluation.names, *columns.values()):
        writer.writerow([*names, *(f"{value:.6f}" for value in values)])
    return text.getvalue()


def to_html(
    evaluation: Evaluation, chosen: Mapping[str, Positions], pictures: Pictures, title: str = "Evaluation"
) -> str:
    """The page: the table, then the chosen pairs with their pictures, which lie inside the page.

    Args:
        evaluation: An `Evaluation`.
        chosen: Title of a section -> positions of its pairs, see `sections`.
        pictures: Position -> {title: uint8 picture}, see `samples.chosen_pictures`.
        title: Of the page.
    """
    parts = [*_html_table(evaluation), *_html_thirds(evaluation)]
    for section, positions in chosen.items():
        parts.append(f"<h2>{html.escape(section)}: {len(positions)} pairs</h2><table>")
        titles = pictures[int(positions[0])]
        parts.append(f"<tr><th>pair</th>{''.join(f'<th>{html.escape(name)}</th>' for name in titles)}</tr>")
        parts += [_html_row(evaluation, int(position), pictures[int(position)]) for position in positions]
        parts.append("</table>")
    return page(title, parts)


def _html_table(evaluation: Evaluation) -> Iterator[str]:
    yield f"<p>{len(evaluation)} test pairs</p><table>"
    yield f"<tr>{''.join(f'<th>{name}</th>' for name in HEADER)}<th>protocol</th></tr>"
    for result in evaluation.metrics:
        name, *numbers = (html.escape(cell) for cell in _row(result))
        cells = "".join(f'<td class="number">{cell}</td>' for cell in numbers)
        protocol = html.escape(f"{result.protocol} [{result.measured}]")
        yield f'<tr><td>{name}</td>{cells}<td class="protocol">{protocol}</td></tr>'
    yield "</table>"


def _html_thirds(evaluation: Evaluation) -> Iterator[str]:
    """The metrics of the pairs in three equal parts, by how far the joints move."""
    parts = pairs_by_pose_change(evaluation)
    if not any(map(len, parts.values())):
        return
    yield "<h2>By size of the pose change</h2><table>"
    headings = [f"{title} ({_moves(evaluation.pose_change[positions])})" for title, positions in parts.items()]
    yield f"<tr><th>metric</th>{''.join(f'<th>{heading}</th>' for heading in headings)}</tr>"
    for name, scores in evaluation.pairs.items():
        means = [{who: _mean(values[positions]) for who, values in scores.items()} for positions in parts.values()]
        cells = "".join(f'<td class="number">{_beside_baselines(numbers, "{:.4f}")}</td>' for numbers in means)
        yield f"<tr><td>{html.escape(name)}</td>{cells}</tr>"
    yield "</table>"


def _moves(changes: Array) -> str:
    if not len(changes):
        return "no pairs"
    return f"{len(changes)} pairs, joints move by {changes.min():.2f} to {changes.max():.2f} heights"


def _beside_baselines(numbers: Mapping[str, float], form: str) -> str:
    others = ", ".join(f"{who} {form.format(value)}" for who, value in numbers.items() if who != MODEL)
    return f"<b>{form.format(numbers[MODEL])}</b><br>({others})"


def _html_row(evaluation: Evaluation, position: int, columns: Mapping[str, Picture]) -> str:
    numbers = []
    for name, scores in evaluation.pairs.items():
        found = {who: values[position] for who, values in scores.items()}
        numbers.append(f"{name} {_beside_baselines(found, '{:.3f}')}")
    names = "<br>to ".join(f"<code>{html.escape(name)}</code>" for name in evaluation.names[position])
    images = "".join(f"<td>{image(name, array)}</td>" for name, array in columns.items())
    return f"<tr><td>{names}<br>{'<br>'.join(numbers)}</td>{images}</tr>"


def write_report(
    evaluation: Evaluation,
    pictures: Pictures,
    output_dir: str,
    facts: Mapping[str, Any] | None = None,
    title: str = "Evaluation",
    count: int = 20,
) -> tuple[dict[str, str], str]:
    """Writes the five files; gives their paths by name, and the table.

    Args:
        evaluation: An `Evaluation`.
        pictures: Position -> {title: uint8 picture} of at least `sections` and `even_pairs`.
        output_dir: Folder, made if need be.
        facts: See `to_json`.
        title: Of the page.
        count: Pairs in each part of the page.

    Raises:
        InputError: If a file cannot be written.
    """
    rows = [pictures[int(position)] for position in even_pairs(evaluation)]
    for number, row in enumerate(rows):
        for kind in SHOWN & row.keys():
            save_png(os.path.join(os.path.expanduser(output_dir), SHOWN_DIR, f"{number:02d}_{kind}.png"), row[kind])
    texts = {
        "metrics.json": to_json(evaluation, facts),
        "metrics.txt": to_table(evaluation),
        "pairs.csv": to_csv(evaluation),
        "index.html": to_html(evaluation, sections(evaluation, count), pictures, title),
    }
    paths = {name: os.path.join(os.path.expanduser(output_dir), name) for name in (*texts, "grid.png")}
    for name, text in texts.items():
        write_atomically(paths[name], text)
    scale = max(1, 256 // len(next(iter(rows[0].values()))))
    save_png(paths["grid.png"], grid({name: [row[name] for row in rows] for name in rows[0]}, scale))
    return paths, texts["metrics.txt"]
