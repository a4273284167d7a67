"""The answers of a study, in one SQLite file: a random number for each rater, a side and a time for each trial.

Nothing personal is kept: no address, no browser, no time of day, no name. Of a rater's token only the hash is kept.
"""

import contextlib
import dataclasses
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.design import LEFT, RIGHT
from tfwarpgan.human_study.document import ANSWERS, Study

MOST_RATERS = 50  # for each slot, with those who only began
LONGEST = 24 * 3600 * 1000  # milliseconds of an answer
_TABLES = """
CREATE TABLE study (id TEXT PRIMARY KEY);
CREATE TABLE raters (rater TEXT PRIMARY KEY, token TEXT UNIQUE, slot INTEGER NOT NULL, simulated INTEGER NOT NULL);
CREATE TABLE answers (
    rater TEXT NOT NULL REFERENCES raters ON DELETE CASCADE, trial INTEGER NOT NULL, side TEXT NOT NULL,
    milliseconds INTEGER NOT NULL, PRIMARY KEY (rater, trial)
) WITHOUT ROWID;
"""


@dataclasses.dataclass(frozen=True)
class Answer:
    """The side that was chosen in a trial, and after how many milliseconds."""

    trial: int
    side: str
    milliseconds: int

    @classmethod
    def checked(cls, values: Iterable[object], trials: int) -> "Answer":
        """An answer from outside: trial, side and milliseconds.

        Raises:
            InputError: If it is none to one of so many trials.
        """
        trial, side, milliseconds = values
        if type(trial) is not int or not 0 <= trial < trials:
            raise InputError(f"trial must be a whole number from 0 to {trials - 1}.")
        if side not in (LEFT, RIGHT):
            raise InputError(f"side must be {LEFT} or {RIGHT}.")
        if type(milliseconds) is not int or not 0 <= milliseconds <= LONGEST:
            raise InputError(f"milliseconds must be a whole number from 0 to {LONGEST}.")
        return cls(trial, str(side), milliseconds)


@dataclasses.dataclass(frozen=True)
class Rater:
    """A rater: a random number, the slot whose trials are theirs, and the answers so far, by trial."""

    rater: str
    slot: int
    is_simulated: bool
    answers: dict[int, Answer]


class FullError(Exception):
    """Every slot has been finished, or too many have begun."""


class Answers:
    """The file of a study's answers; each call is a transaction of its own, from any thread or process."""

    def __init__(self, path: str, study: str, lengths: list[int]) -> None:
        """Opens the file, and makes it if there is none.

        Args:
            path: The file.
            study: `Study.id`.
            lengths: Number of trials of each slot.

        Raises:
            InputError: If the file is of another study, or is no such file.
        """
        self._path, self._lengths = path, lengths
        try:
            self._open(study)
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"{path} cannot be used for answers ({error}); move it away, or repair it.") from None

    def _open(self, study: str) -> None:
        if not os.path.exists(self._path):
            os.close(os.open(self._path, os.O_CREAT, 0o600))
        with self._transaction() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'study'").fetchone():
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO study VALUES (?)", (study,))
            (found,) = connection.execute("SELECT id FROM study").fetchone()
        if found != study:
            raise InputError(f"{self._path} holds the answers of another study ({found}, not {study}); move it away.")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection; what was begun on it is committed, or taken back where an error comes."""
        with contextlib.closing(sqlite3.connect(self._path, timeout=20, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if connection.in_transaction:
                connection.execute("COMMIT")

    def join(self, is_simulated: bool) -> tuple[str, Rater]:
        """A new rater, for the slot that fewest work on among those that nobody has finished.

        Returns:
            (token, `Rater`); the token is nowhere else.

        Raises:
            FullError: If there is no such slot.
        """
        token, rater = secrets.token_urlsafe(24), secrets.token_hex(8)
        with self._transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            counts = connection.execute(
                "SELECT slot, (SELECT COUNT(*) FROM answers WHERE answers.rater = raters.rater) FROM raters "
                "WHERE simulated = ?", (is_simulated,),
            ).fetchall()  # fmt: skip
            if len(counts) >= MOST_RATERS * len(self._lengths):
                raise FullError
            begun = [sum(slot == place for place, _ in counts) for slot in range(len(self._lengths))]
            finished = {slot for slot, answered in counts if answered == self._lengths[slot]}
            free = [slot for slot in range(len(self._lengths)) if slot not in finished]
            if not free:
                raise FullError
            slot = min(free, key=lambda slot: begun[slot])
            connection.execute("INSERT INTO raters VALUES (?, ?, ?, ?)", (rater, _hash(token), slot, is_simulated))
        return token, Rater(rater, slot, is_simulated, {})

    def find(self, token: str) -> Rater | None:
        """The rater of a token."""
        return next(self._read("WHERE token = ?", _hash(token)), None)

    def read(self) -> list[Rater]:
        """All raters, in the order of their numbers."""
        return list(self._read("ORDER BY rater"))

    def _read(self, condition: str, *values: str) -> Iterator[Rater]:
        with self._transaction() as connection:
            connection.execute("BEGIN")
            rows = connection.execute(f"SELECT rater, slot, simulated FROM raters {condition}", values).fetchall()
            for rater, slot, is_simulated in rows:
                found = connection.execute("SELECT trial, side, milliseconds FROM answers WHERE rater = ?", (rater,))
                yield Rater(rater, slot, bool(is_simulated), {row[0]: Answer(*row) for row in found})

    def record(self, rater: str, answer: Answer) -> Answer:
        """Keeps an answer, unless the trial has one; gives the one that is kept."""
        with self._transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (rater, *dataclasses.astuple(answer))
            )
            row = connection.execute(
                "SELECT trial, side, milliseconds FROM answers WHERE rater = ? AND trial = ?", (rater, answer.trial)
            ).fetchone()
        return Answer(*row)

    def add(self, raters: Iterable[Rater]) -> tuple[int, int]:
        """Adds raters whose answers came in another way, all or, where an error comes, none.

        Returns:
            (number of raters added, number of those who had been there).
        """
        added = known = 0
        with self._transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for rater in raters:
                values = (rater.rater, None, rater.slot, rater.is_simulated)
                is_new = connection.execute(
                    "INSERT INTO raters VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", values
                ).rowcount
                added, known = added + is_new, known + 1 - is_new
                if is_new:
                    rows = [(rater.rater, *dataclasses.astuple(answer)) for answer in rater.answers.values()]
                    connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", rows)
        return added, known

    def delete(self, rater: str) -> bool:
        """Deletes a rater with all answers, from the disk too; gives whether there was one."""
        with self._transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            is_there = connection.execute("DELETE FROM raters WHERE rater = ?", (rater,)).rowcount > 0
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return is_there


def of_study(folder: str, study: Study, *, must_exist: bool = False) -> Answers:
    """The answers in a study's folder.

    Raises:
        InputError: As `Answers`; or if there are none and there must be some.
    """
    path = os.path.join(folder, ANSWERS)
    if must_exist and not os.path.exists(path):
        raise InputError(f"{path} is missing: nobody has answered yet; serve the study, or import results.")
    return Answers(path, study.id, [len(slot) for slot in study.slots])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
