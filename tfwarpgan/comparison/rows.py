"""The rows of a comparison, read from a file.

    # Flags of all rows come first; flagfiles, too.
    --flagfile=configs/demo.flags
    [full]
    [w/o pyramidal-hierarchy loss] --lambda_pyramid=0
    [a finished run]  --run_dir=runs/other_{seed}
    [other networks]  --pictures=results/pix2pix_{seed}

Any flag of a training may stand in a row, behind its title or on the lines below it. The first row is the one that the
others are compared with. `{seed}` stands for the seed.
"""

import dataclasses
import re
import shlex
from collections.abc import Iterator

from tfwarpgan.errors import InputError, quoted
from tfwarpgan.flagfiles import parsed_options
from tfwarpgan.options import Options
from tfwarpgan.storage.text import iterate_lines


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: its title, its flags (those of all rows included), and where it stands (file and line)."""

    title: str
    flags: tuple[str, ...]
    where: str

    def given(self, name: str, seed: int) -> str:
        """The value of --run_dir or --pictures among the flags, or an empty string."""
        values = [flag.partition("=")[2] for flag in self.flags if flag.startswith(f"--{name}=")]
        return values[-1].replace("{seed}", str(seed)) if values else ""

    @property
    def is_trained(self) -> bool:
        """Whether it is to be trained; else it is a finished run, or pictures."""
        return not (self.given("run_dir", 0) or self.given("pictures", 0))

    @property
    def folder(self) -> str:
        """Its title as the name of a folder."""
        return re.sub(r"[^0-9A-Za-z.+=]+", "_", self.title).strip("_.") or "row"

    def options(self, *more: str) -> Options:
        """The options of its training.

        Args:
            *more: Further flags.

        Raises:
            InputError: Naming the file and line, if a flag is wrong.
        """
        return parsed_options([*self.flags, *more], self.where)


def read_rows(path: str) -> list[Row]:
    """The rows of a file, in order.

    Raises:
        InputError: Naming the file and line, if it cannot be read, has no rows, or a title or flag is wrong.
    """
    shared: list[str] = []
    rows: list[Row] = []
    for where, title, flags in _lines(path):
        if title:
            rows.append(Row(title, (*shared, *flags), where))
        elif rows:
            rows[-1] = dataclasses.replace(rows[-1], flags=(*rows[-1].flags, *flags))
        else:
            shared += flags
    if not rows:
        raise InputError(f"{path} has no rows: a row is a title in brackets, with its flags behind it.")
    _check_titles(rows)
    return rows


def _lines(path: str) -> Iterator[tuple[str, str, list[str]]]:
    """(where, title or nothing, flags) of each line that is not empty."""
    for number, line in iterate_lines(path, "rows of a comparison"):
        where, text = f"{path}, line {number}", line.strip()
        if not text or text.startswith("#"):
            continue
        match = re.fullmatch(r"(?:\[([^\[\]]*)\])?(.*)", text)
        title = match[1] if match else None
        if not match or title is not None and not title.strip():
            raise InputError(f"{where}: {quoted(text)} is no row: a title in brackets, with its flags behind it.")
        yield where, (title or "").strip(), _flags(match[2], where)


def _flags(text: str, where: str) -> list[str]:
    try:
        words = shlex.split(text, comments=True)
    except ValueError as error:
        raise InputError(f"{where}: {quoted(text)} cannot be read ({error}).") from None
    for word in words:
        if not re.match(r"--\w", word):
            raise InputError(f"{where}: {quoted(word)} is no flag; flags are written --name=value.")
        if re.match(r"--(seed|stages_from|stage)\b", word):
            raise InputError(f"{where}: {word} cannot stand here: the comparison sets it itself.")
    return words


def _check_titles(rows: list[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        other = seen.setdefault(row.folder.lower(), row)
        if other is not row:
            raise InputError(f"{row.where}: the title [{row.title}] is too much like [{other.title}]; choose another.")
