"""The results as the paper's table 2: Markdown, LaTeX and JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

HEADER = ("comparison", "preferred", "95 % (bootstrap)", "95 % (Wilson)", "answers", "p", "p (Holm)", "alpha")
STRENGTHS = ("method", "Elo", "95 % (bootstrap)", "log-strength")
_LATEX = str.maketrans(
    {**{mark: "\\" + mark for mark in "%&_#${}"}, "\\": r"\textbackslash{}", "~": r"\~{}", "^": r"\^{}"}
)


def to_json(results: Mapping[str, Any]) -> str:
    """The results as JSON text; a number that is not finite is null."""
    return json.dumps(_finite(results), indent=1) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_markdown(results: Mapping[str, Any]) -> str:
    """The tables, and below them who answered and how."""
    tables = [_markdown_table(HEADER, _rows(results))]
    if results["strengths"]:
        tables.append(_markdown_table(STRENGTHS, _strength_rows(results)))
    return "\n\n".join([*tables, "\n".join(f"- {note}" for note in notes(results))]) + "\n"


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        header,
        ["---"] + ["---:"] * (len(header) - 1),
        *([cell.replace("|", "\\|") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_latex(results: Mapping[str, Any]) -> str:
    """The same tables for LaTeX with booktabs, the notes as comments."""
    tables = [_latex_table(HEADER, _rows(results))]
    if results["strengths"]:
        tables.append(_latex_table(STRENGTHS, _strength_rows(results)))
    return "\n".join([*tables, *(f"% {note}" for note in notes(results))]) + "\n"


def _latex_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" & ".join(cell.translate(_LATEX).replace("–", "--") for cell in row) + r" \\" for row in (header, *rows)]
    begin = rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}"
    return "\n".join([begin, r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}"])


def _rows(results: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            f"{facts['first']} vs. {facts['second']}",
            _percent(facts["share"]),
            _interval(facts["bootstrap"]),
            _interval(facts["wilson"]),
            str(facts["total"]),
            _p(facts["p"]),
            _p(facts["p_holm"]),
            _number(facts["alpha"]),
        ]
        for facts in results["comparisons"]
    ]


def _strength_rows(results: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            facts["method"],
            f"{facts['elo']:+.0f}",
            _points(*facts["elo_bootstrap"]),
            f"{facts['theta']:.3f}",
        ]
        for facts in results["strengths"]
    ]


def notes(results: Mapping[str, Any]) -> list[str]:
    """What belongs below the table: the protocol, who answered, and whether they can be trusted."""
    raters, position, repeats = results["raters"], results["position"], results["repeats"]
    found = [
        f"{results['protocol']}; study {results['study']}; tfwarpgan {results['version']}",
        f"raters: {raters['counted']} counted of {raters['began']} who began ({raters['wanted']} wanted); "
        f"{raters['unfinished']} did not finish, {raters['failed_checks']} dropped for failed checks",
        f"left side chosen: {_percent(position['share'])} ({_interval(position['wilson'])}, p {_p(position['p'])})",
        f"same choice when a pair came again: {_percent(repeats['share'])} of {repeats['total']}",
        f"median time of a choice: {_number(results['median_seconds'])} s",
    ]
    if results["simulated"]:
        found.insert(0, "simulated raters: no result")
    elif raters["counted"] < raters["wanted"]:
        found.insert(0, "not complete: raters are still wanted, and looking often makes chance results likely")
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"


def _interval(bounds: Sequence[float]) -> str:
    return "{:.1f}–{:.1f} %".format(*(100 * bound for bound in bounds))


def _points(low: float, high: float) -> str:
    if low == high == 0:
        return "–"  # the method that the others are measured from
    return f"{low:+.0f} to {high:+.0f}" if math.isfinite(low) and math.isfinite(high) else "unbounded"


def _p(value: float) -> str:
    return "< .0001" if value < 0.0001 else f"{value:.4f}".replace("0.", ".", 1)


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"
