"""Collects what the jobs of a comparison have found and writes its table, in every format.

table.md, table.tex, table.csv, table.json, and index.html with the same pairs side by side.
"""

import os
from collections.abc import Sequence

from tfwarpgan.comparison import formats, page, provenance
from tfwarpgan.comparison.jobs import job_of
from tfwarpgan.comparison.results import Result, read_result
from tfwarpgan.comparison.rows import Row
from tfwarpgan.comparison.table import make_table
from tfwarpgan.storage.writing import write_atomically


def write_table(
    rows: Sequence[Row],
    seeds: list[int],
    folder: str,
    evaluate: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> str:
    """Writes the table of what is finished; gives its Markdown, or an empty text if nothing is.

    Args:
        rows: All rows.
        seeds: All seeds.
        folder: Of the comparison.
        evaluate: As for `jobs.plan`.
        columns: As for `table.make_table`.

    Raises:
        InputError: If rows were scored on other pairs, a column is unknown, or a file cannot be written.
    """
    results: dict[str, dict[int, Result]] = {row.title: {} for row in rows}
    missing, flags, weights = {}, {}, {}
    for row in rows:
        for seed in row.seeds(seeds):
            job = job_of(row, seed, folder, evaluate)
            found = None if job.left else read_result(job.evaluation)
            if found is None:
                missing[job.name] = f"failed or stopped: {job.log}" if os.path.exists(job.log) else "has not run"
                continue
            results[row.title][seed] = found
            flags[f"[{row.title}]"] = job.facts.get("flags", "")
            weights[job.name] = job.facts.get("weights", "")
    if not any(results.values()):
        return ""
    table = make_table(results, seeds, columns)
    data = sorted({result.data for of_row in results.values() for result in of_row.values()})
    facts = {
        "commit": provenance.commit(),
        "flags sha256": ", ".join(f"{title} {value}" for title, value in flags.items()),
        "test pairs": "; ".join(data),
        "weights sha256": ", ".join(f"{run} {value[:12]}" for run, value in weights.items() if value),
    }
    lines = formats.notes(table, missing, facts)
    shown = {title: next(iter(of_row.values())) for title, of_row in results.items() if of_row}
    name = os.path.basename(os.path.normpath(folder))
    texts = {
        "table.md": formats.to_markdown(table, lines),
        "table.tex": formats.to_latex(table, lines),
        "table.csv": formats.to_csv(table),
        "table.json": formats.to_json(table, lines, {**facts, "weights sha256": weights}),
        "index.html": page.to_html(table, shown, lines, name),
    }
    for file, text in texts.items():
        write_atomically(os.path.join(folder, file), text)
    return texts["table.md"]
