"""A table as Markdown, LaTeX (booktabs), CSV and JSON, with what it rests on below it."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfwarpgan.comparison.results import Metric
from tfwarpgan.comparison.table import LEAST_PERSONS, LEVEL, Cell, Table
from tfwarpgan.comparison.table import Test as RowTest
from tfwarpgan.evaluation.statistics import differences_needed, least_p

NOTHING = "-"
ARROWS = {"higher": "up", "lower": "down", "one": "to 1"}


def number(value: float, sign: str = "") -> str:
    """Four decimals; "-" for what is no number."""
    return f"{value:{sign}.4f}" if math.isfinite(value) else NOTHING


def half_width(cell: Cell) -> float:
    """Of the interval, which lies evenly around the mean."""
    return (cell.interval[1] - cell.interval[0]) / 2


def notes(table: Table, failed: Mapping[str, str], facts: Mapping[str, str]) -> list[str]:
    """The sentences below a table: what its signs mean, what can be tested at all, what failed, what it rests on.

    Args:
        table: The table.
        failed: Title and seed of each run that is missing -> why, or its log.
        facts: Name -> what the table rests on (commit, flags, data, weights).
    """
    lines = list(_test_notes(table))
    if table.best:
        lines.append("Bold: significantly better than every other row.")
    else:
        lines.append("No number is bold: none is significantly better than those of every other row.")
    lines += [protocol(metric) for metric in table.metrics]
    lines += [f"Measured otherwise: {other}" for other in table.others]
    lines += [f"Missing: {run}: {reason}" for run, reason in failed.items()]
    return [*lines, *(f"{name}: {fact}" for name, fact in facts.items())]


def protocol(metric: Metric) -> str:
    """A metric's id and its protocol, which may begin with it."""
    return metric.protocol if metric.protocol.startswith(metric.id) else f"{metric.id}: {metric.protocol}"


def _test_notes(table: Table) -> Iterator[str]:
    others, count = len(table.titles) - 1, len(table.seeds)
    if table.by_pairs:
        yield (
            f"One seed ({table.seeds[0]}): tests are a paired bootstrap over test pairs, clustered by person "
            f"({table.persons} persons); they are about these trained models, not about the methods, whose numbers "
            "change with the seed."
        )
        if table.persons < LEAST_PERSONS:
            yield f"Fewer than {LEAST_PERSONS} persons are too few for a bootstrap: nothing is tested."
    else:
        yield f"Mean over {count} seeds and its 95 % t interval; fewer where the number in parentheses says so."
        least = least_p(count, others)
        needed = differences_needed(max(others, 1), LEVEL)
        if count < 6:
            yield f"Fewer than 6 seeds can never reach p < .05 (the least p of {count} is {least_p(count):.4g})."
        if least >= LEVEL and count >= 6:
            yield (
                f"{count} seeds and {others} comparisons cannot reach p < .05 after Holm (the least is {least:.4g}); "
                f"{needed} seeds can."
            )
        yield "Tests: exact, two-sided sign-flip test of the differences between runs of the same seed."
    yield f"* differs significantly from [{table.titles[0]}] (p < .05 after Holm's correction for {others} rows)."


def to_markdown(table: Table, lines: Sequence[str]) -> str:
    """The table, that of the tests, and `notes`, as Markdown."""
    heads = [f"{metric.id} ({ARROWS[metric.goal]})" for metric in table.metrics]
    rows = [[title, *(_markdown_cell(table, title, metric) for metric in table.metrics)] for title in table.titles]
    text = _markdown_table(["", *heads], rows)
    if table.tests:
        tests = [
            [title, *(_test_text(table.tests.get((title, metric.name))) for metric in table.metrics)]
            for title in table.titles[1:]
        ]
        text += f"\nDifference from {_plain(table.titles[0])}, 95 % interval, p, p after Holm:\n\n"
        text += _markdown_table(["", *heads], tests)
    return text + "\n" + "\n".join(f"- {_plain(line)}" for line in lines) + "\n"


def _plain(text: str) -> str:
    """Text without a meaning in Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|" else char for char in text)


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[_plain(row[0]), *row[1:]] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _markdown_cell(table: Table, title: str, metric: Metric) -> str:
    cell = table.cells.get((title, metric.name))
    if cell is None:
        return NOTHING
    mean = f"**{number(cell.mean)}**" if table.best.get(metric.name) == title else number(cell.mean)
    return mean + spread(table, cell, " ± ") + (r"\*" if is_starred(table, title, metric) else "")


def spread(table: Table, cell: Cell, sign: str) -> str:
    """Half of the interval behind the sign, and the number of seeds if some are missing."""
    text = f"{sign}{number(half_width(cell))}" if math.isfinite(half_width(cell)) else ""
    return text if len(cell.values) == len(table.seeds) else f"{text} ({len(cell.values)})"


def is_starred(table: Table, title: str, metric: Metric) -> bool:
    """Whether a number differs significantly from that of the first row."""
    test = table.tests.get((title, metric.name))
    return test is not None and test.is_significant


def _test_text(test: RowTest | None) -> str:
    if test is None or not math.isfinite(test.difference):
        return NOTHING
    low, high = (number(bound, "+") for bound in test.interval)
    interval = f" [{low}, {high}]" if low != NOTHING else ""
    p = f", p {test.p:.3g}, {test.adjusted:.3g}" if math.isfinite(test.p) else ", not testable"
    return f"{number(test.difference, '+')}{interval}{p}"


def to_latex(table: Table, lines: Sequence[str]) -> str:
    """The table for LaTeX's package booktabs, `notes` as comments."""
    arrows = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "one": r"$\to 1$"}
    heads = [f"{_latex(metric.id)} {arrows[metric.goal]}" for metric in table.metrics]
    body = [
        " & ".join([_latex(title), *(_latex_cell(table, title, metric) for metric in table.metrics)]) + r" \\"
        for title in table.titles
    ]
    return "\n".join(
        [
            *(f"% {line}" for line in lines),
            rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
            r"\toprule",
            " & ".join(["", *heads]) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _latex(text: str) -> str:
    escapes = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(escapes.get(char, f"\\{char}" if char in "&%$#_{}" else char) for char in text)


def _latex_cell(table: Table, title: str, metric: Metric) -> str:
    cell = table.cells.get((title, metric.name))
    if cell is None:
        return "--"
    mean = rf"\textbf{{{number(cell.mean)}}}" if table.best.get(metric.name) == title else number(cell.mean)
    return mean + spread(table, cell, r" $\pm$ ") + ("$^*$" if is_starred(table, title, metric) else "")


def records(table: Table) -> Iterator[dict[str, Any]]:
    """Every number of a table with all that is known of it; what is no number is None."""
    for title in table.titles:
        for metric in table.metrics:
            cell, test = table.cells.get((title, metric.name)), table.tests.get((title, metric.name))
            if cell is None:
                yield {"row": title, "metric": metric.id, "seeds": 0}
                continue
            found = {"mean": cell.mean, "low": cell.interval[0], "high": cell.interval[1]}
            if test is not None:
                found |= {"difference": test.difference, "difference_low": test.interval[0]}
                found |= {"difference_high": test.interval[1], "p": test.p, "p_holm": test.adjusted}
            yield {
                "row": title, "metric": metric.id, "goal": metric.goal, "seeds": len(cell.values),
                **{name: value if math.isfinite(value) else None for name, value in found.items()},
                "significant": is_starred(table, title, metric), "best": table.best.get(metric.name) == title,
                "values": {str(seed): value if math.isfinite(value) else None for seed, value in cell.values.items()},
            }  # fmt: skip


COLUMNS = (
    "row", "metric", "goal", "seeds", "mean", "low", "high", "difference", "difference_low", "difference_high", "p",
    "p_holm", "significant", "best",
)  # fmt: skip


def to_csv(table: Table) -> str:
    """A line for each row and metric."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(table))
    return text.getvalue()


def to_json(table: Table, lines: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Everything, numbers of each seed too."""
    content = {
        "rows": list(table.titles),
        "seeds": list(table.seeds),
        "tests": "pairs, clustered by person" if table.by_pairs else "seeds",
        "metrics": {metric.id: {"protocol": metric.protocol, "goal": metric.goal} for metric in table.metrics},
        "numbers": list(records(table)),
        "notes": list(lines),
        **facts,
    }
    return json.dumps(content, indent=2) + "\n"
