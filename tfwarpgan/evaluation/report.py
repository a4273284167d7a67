"""The report of an evaluation: metrics with their protocols and baselines, a table, a grid and a page of pictures.

    metrics.json   every metric with its protocol, the number of pairs and the baselines beside it
    metrics.txt    the same as a table
    pairs.csv      the numbers of each pair
    grid.png       pairs at even distances through the test list: not chosen by their score
    index.html     the best, median and worst pairs by SSIM, with their pictures inside the file

Each file is written beside its place and renamed: a report is never half-written.
"""

import csv
import html
import io
import json
import math
import os

import numpy as np

from tfwarpgan.body.labels import LABELS
from tfwarpgan.evaluation.baselines import NAMES as BASELINES
from tfwarpgan.evaluation.evaluator import MODEL
from tfwarpgan.storage.writing import save_png, write_atomically
from tfwarpgan.viewing.drawing import grid
from tfwarpgan.viewing.pages import image, page

HEADER = ["metric", MODEL, *BASELINES, "beats baselines"]


def chosen_pairs(evaluation, count=20, metric="ssim_gaussian"):
    """Positions of the best, the median and the worst pairs: title -> positions, the best first."""
    ranking = evaluation.ranking(metric)
    count = min(count, len(ranking))
    middle = (len(ranking) - count) // 2
    return {"Best": ranking[:count], "Median": ranking[middle : middle + count], "Worst": ranking[-count:]}


def even_pairs(evaluation, count=10):
    """Positions of pairs at even distances through the test list."""
    return np.unique(np.linspace(0, len(evaluation) - 1, count).astype(int))


def to_json(evaluation, facts=None):
    """The metrics as JSON text; a number that is not finite is null.

    Args:
        evaluation: An `Evaluation`.
        facts: What else the numbers depend on (data set, size, pairs of the mean image): name -> value.
    """
    metrics = {}
    for metric in evaluation.metrics:
        entry = {"protocol": metric.protocol, "goal": metric.goal, "pairs": len(evaluation)}
        entry |= {MODEL: _finite(metric.model), "baselines": {k: _finite(v) for k, v in metric.baselines.items()}}
        entry["beats_baselines"] = bool(metric.beats_baselines)
        if metric.by_label:
            entry["by_label"] = {label: _finite(value) for label, value in zip(LABELS, metric.by_label)}
        metrics[metric.name] = entry
    return json.dumps({"pairs": len(evaluation), **(facts or {}), "metrics": metrics}, indent=2) + "\n"


def _finite(value):
    return float(value) if math.isfinite(value) else None


def to_table(evaluation):
    """The metrics as a table to read: a line a metric, the protocols under it."""
    lines = [f"{len(evaluation)} test pairs", ""]
    rows = [HEADER, *(_row(metric) for metric in evaluation.metrics)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    lines += ["", *(f"{metric.name}: {metric.protocol}" for metric in evaluation.metrics)]
    return "\n".join(lines) + "\n"


def _row(metric):
    baselines = [f"{metric.baselines[name]:.4f}" if name in metric.baselines else "-" for name in BASELINES]
    name = f"{metric.name} ({'1 is best' if metric.goal == 'one' else metric.goal + ' is better'})"
    return [name, f"{metric.model:.4f}", *baselines, "yes" if metric.beats_baselines else "NO"]


def to_csv(evaluation):
    """The metrics of each pair as CSV text."""
    columns = {f"{name}_{who}": values for name, scores in evaluation.pairs.items() for who, values in scores.items()}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["from", "to", *columns])
    for names, *values in zip(evaluation.names, *columns.values()):
        writer.writerow([*names, *(f"{value:.6f}" for value in values)])
    return text.getvalue()


def to_html(evaluation, chosen, pictures, title="Evaluation"):
    """The page: the table, then the chosen pairs with their pictures, which lie inside the page.

    Args:
        evaluation: An `Evaluation`.
        chosen: Title of a section -> positions of its pairs, see `chosen_pairs`.
        pictures: Position -> {title: uint8 picture}, see `samples.chosen_pictures`.
        title: Of the page.
    """
    parts = list(_html_table(evaluation))
    for section, positions in chosen.items():
        parts.append(f"<h2>{html.escape(section)} {len(positions)} pairs by SSIM</h2><table>")
        titles = pictures[int(positions[0])]
        parts.append(f"<tr><th>pair</th>{''.join(f'<th>{html.escape(name)}</th>' for name in titles)}</tr>")
        parts += [_html_row(evaluation, int(position), pictures[int(position)]) for position in positions]
        parts.append("</table>")
    return page(title, parts)


def _html_table(evaluation):
    yield f"<p>{len(evaluation)} test pairs</p><table>"
    yield f"<tr>{''.join(f'<th>{name}</th>' for name in HEADER)}<th>protocol</th></tr>"
    for metric in evaluation.metrics:
        name, *numbers = (html.escape(cell) for cell in _row(metric))
        cells = "".join(f'<td class="number">{cell}</td>' for cell in numbers)
        yield f'<tr><td>{name}</td>{cells}<td class="protocol">{html.escape(metric.protocol)}</td></tr>'
    yield "</table>"


def _html_row(evaluation, position, columns):
    numbers = []
    for name, scores in evaluation.pairs.items():
        others = ", ".join(f"{who} {values[position]:.3f}" for who, values in scores.items() if who != MODEL)
        numbers.append(f"{name} <b>{scores[MODEL][position]:.3f}</b><br>({others})")
    names = "<br>to ".join(f"<code>{html.escape(name)}</code>" for name in evaluation.names[position])
    images = "".join(f"<td>{image(name, array)}</td>" for name, array in columns.items())
    return f"<tr><td>{names}<br>{'<br>'.join(numbers)}</td>{images}</tr>"


def write_report(evaluation, pictures, output_dir, facts=None, title="Evaluation", count=20):
    """Writes the five files; gives their paths by name, and the table.

    Args:
        evaluation: An `Evaluation`.
        pictures: Position -> {title: uint8 picture} of at least `chosen_pairs` and `even_pairs`.
        output_dir: Folder, made if need be.
        facts: See `to_json`.
        title: Of the page.
        count: Pairs in each part of the page.

    Raises:
        InputError: If a file cannot be written.
    """
    rows = [pictures[int(position)] for position in even_pairs(evaluation)]
    texts = {
        "metrics.json": to_json(evaluation, facts),
        "metrics.txt": to_table(evaluation),
        "pairs.csv": to_csv(evaluation),
        "index.html": to_html(evaluation, chosen_pairs(evaluation, count), pictures, title),
    }
    paths = {name: os.path.join(os.path.expanduser(output_dir), name) for name in (*texts, "grid.png")}
    for name, text in texts.items():
        write_atomically(paths[name], text)
    scale = max(1, 256 // len(rows[0]["condition"]))
    save_png(paths["grid.png"], grid({name: [row[name] for row in rows] for name in rows[0]}, scale))
    return paths, texts["metrics.txt"]
