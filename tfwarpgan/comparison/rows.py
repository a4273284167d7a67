"""The rows of a comparison, read from a file.

    # Flags of all rows come first; flagfiles, too.
    --flagfile=configs/demo.flags
    [full]
    [w/o pyramidal-hierarchy loss] --lambda_pyramid=0
    [an earlier run] --run_dir=runs/earlier_{seed}
    [another project] --pictures=results/theirs_{seed} --targets=data/targets

Any flag of a training may stand in a row, behind its title or on the lines below it. A row with --run_dir, --weights or
--pictures is not trained but evaluated as it is; it takes the flags of `evaluate`. `{seed}` stands for the seed;
without it such a row has one number, not one for each seed. The others are compared with the first row.
"""

import dataclasses
import re
import shlex
from collections.abc import Iterator, Sequence

from tfwarpgan.errors import InputError, quoted
from tfwarpgan.flagfiles import parsed_options
from tfwarpgan.options import Options
from tfwarpgan.storage.text import iterate_lines

FINISHED = ("run_dir", "weights", "pictures")  # flags of rows that are not trained


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: its title, the flags of all rows, its own, where it stands (file and line), and what overrules all."""

    title: str
    shared: tuple[str, ...]
    own: tuple[str, ...]
    where: str
    more: tuple[str, ...] = ()

    @property
    def is_trained(self) -> bool:
        """Whether it is to be trained; else it is finished."""
        return not any(self.given(name) for name in FINISHED)

    @property
    def folder(self) -> str:
        """Its title as the name of a folder."""
        return re.sub(r"[^0-9A-Za-z.+=]+", "_", self.title).strip("_.") or "row"

    def given(self, name: str) -> str:
        """The value of one of its own flags, or an empty string."""
        values = [flag.partition("=")[2] for flag in self.own if flag.startswith(f"--{name}=")]
        return values[-1] if values else ""

    def flags(self, seed: int) -> tuple[str, ...]:
        """The flags of its command, without those that the comparison adds."""
        if self.is_trained:
            return (*self.shared, *self.own, *self.more, f"--seed={seed}")
        return tuple(flag.replace("{seed}", str(seed)) for flag in self.own)

    def seeds(self, seeds: list[int]) -> list[int]:
        """Those that it has numbers for."""
        return seeds if self.is_trained or any("{seed}" in flag for flag in self.own) else seeds[:1]

    def options(self, seed: int) -> Options:
        """The options of its training.

        Raises:
            InputError: Naming the file and line, if a flag is wrong.
        """
        return parsed_options(self.flags(seed), self.where)


def read_rows(path: str, more: Sequence[str] = ()) -> list[Row]:
    """The rows of a file, in order.

    Args:
        path: The file.
        more: Further flags of all rows, which overrule those of the file.

    Raises:
        InputError: Naming the file and line, if it cannot be read, has no rows, or a title or flag is wrong.
    """
    shared: tuple[str, ...] = ()
    rows: list[Row] = []
    for where, title, flags in _lines(path):
        if title:
            rows.append(Row(title, shared, flags, where, tuple(more)))
        elif rows:
            rows[-1] = dataclasses.replace(rows[-1], own=(*rows[-1].own, *flags))
        else:
            shared += flags
    if not rows:
        raise InputError(f"{path} has no rows: a row is a title in brackets, with its flags behind it.")
    _check_titles(rows)
    return rows


def _lines(path: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(where, title or nothing, flags) of each line that is not empty."""
    for number, line in iterate_lines(path, "rows of a comparison"):
        where, text = f"{path}, line {number}", line.strip()
        if not text or text.startswith("#"):
            continue
        match = re.fullmatch(r"\[\s*([^\[\]]*[^\[\]\s])\s*\](.*)|(--.*)", text)
        if not match:
            raise InputError(f"{where}: {quoted(text)} is no row: a title in brackets, with its flags behind it.")
        yield where, match[1] or "", _flags(match[2] if match[1] else match[3], where)


def _flags(text: str, where: str) -> tuple[str, ...]:
    try:
        words = shlex.split(text, comments=True)
    except ValueError as error:
        raise InputError(f"{where}: {quoted(text)} cannot be read ({error}).") from None
    for word in words:
        if not re.match(r"--\w", word):
            raise InputError(f"{where}: {quoted(word)} is no flag; flags are written --name=value.")
        if re.match(r"--(seed|stages_from|stage|output_dir)(=|$)", word):
            raise InputError(f"{where}: {word} cannot stand here: the comparison sets it itself.")
    return tuple(words)


def _check_titles(rows: list[Row]) -> None:
    seen: dict[str, Row] = {}
    for row in rows:
        other = seen.setdefault(row.folder.lower(), row)
        if other is not row or row.folder.lower() == "stages":
            reason = f"is too much like [{other.title}]" if other is not row else "is the folder of the shared stages"
            raise InputError(f"{row.where}: the title [{row.title}] {reason}; choose another.")
