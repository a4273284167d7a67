"""Results that came in another way: Mechanical Turk's table, and the files that raters of a static page saved."""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.answers import Answer, Rater
from tfwarpgan.human_study.document import KEY, Study
from tfwarpgan.storage.tables import read_table
from tfwarpgan.storage.text import at_row, open_text
from tfwarpgan.storage.writing import write_atomically

_RATER = re.compile(r"[0-9a-f]{16}")
LARGEST_FILE = 2**20  # characters of one rater's file


def read_results(path: str, study: Study, folder: str) -> Iterator[Rater]:
    """The raters of a file: a table (.csv) of Mechanical Turk, or one rater's file (.json).

    Args:
        path: The file.
        study: The `Study` that it must be of.
        folder: The study's, where the key of worker ids is kept.

    Raises:
        InputError: If the file is of another study, or not of such a kind; with the row.
    """
    if path.lower().endswith(".csv"):
        key = _key(folder)
        for row, (worker, text) in read_table(
            path, ("workerid", "answer.answers"), "Mechanical Turk's table of results"
        ):
            yield _rater(at_row(path, row), hashed(worker, key), text, study)
    else:
        with open_text(path, "a file of answers") as file:
            text = file.read(LARGEST_FILE)
        yield _rater(path, "", text, study)


def hashed(worker: str, key: bytes) -> str:
    """A worker's id as a rater's number: nobody without the key can find out whose it is."""
    return hmac.new(key, worker.strip().encode(), hashlib.sha256).hexdigest()[:16]


def _key(folder: str) -> bytes:
    """The study's key, made when it is first needed; without the file, no number can be led back to a worker."""
    path = os.path.join(folder, KEY)
    if not os.path.exists(path):
        write_atomically(path, secrets.token_hex(32))
        os.chmod(path, 0o600)
    with open_text(path, "the key of worker ids") as file:
        text = file.read(LARGEST_FILE)
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InputError(f"{path} is not the key of worker ids; restore it, or remove it if no table was imported yet.")
    return bytes.fromhex(text)


def _rater(where: str, number: str, text: str, study: Study) -> Rater:
    values = _object(where, text)
    if values.get("study") != study.id:
        raise InputError(
            f"{where}: the answers are of study {values.get('study')!s:.40}, not {study.id}; leave them out."
        )
    slot, number = values.get("slot"), number or str(values.get("rater"))
    if type(slot) is not int or not 0 <= slot < len(study.slots) or not _RATER.fullmatch(number):
        raise InputError(f"{where}: slot and rater are not those of this study; leave it out.")
    answers: dict[int, Answer] = {}
    try:
        for values_of_trial in values["answers"]:
            answer = Answer.checked(values_of_trial, len(study.slots[slot]))
            answers.setdefault(answer.trial, answer)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{where}: the answers are not a list of [trial, side, milliseconds]; leave it out.") from None
    return Rater(number, slot, values.get("simulated") is True, answers)


def _object(where: str, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{where}: the answers are not JSON as the study's page writes it; leave it out.")
    return values
