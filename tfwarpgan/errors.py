"""The one error type that a user's input can raise, and what readers of many rows do with it."""

import re
from collections.abc import Callable
from typing import NoReturn, TypeAlias


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one sentence that says what is wrong, where (file, row) and what to do; commands print
    it and exit with a code that is not 0, without a traceback. It stays on one line, whatever names it quotes.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(re.sub(r"\s*[\r\n\v\f\x85\u2028\u2029]\s*", " ", sentence))


def quoted(value: object, most: int = 80) -> str:
    """How messages show what a user wrote: on one line, cut at `most` characters, in one pair of quotes of its own."""
    text = " ".join(str(value).split())
    while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        return "nothing"
    text = text if len(text) <= most else f"{text[:most]}..."
    return f'"{text}"' if "'" in text else f"'{text}'"


OnError: TypeAlias = Callable[[InputError], object]  # raises it, or goes on


def raise_error(error: InputError) -> NoReturn:
    """What a reader of many rows does with a bad row by default: it raises the `InputError`.

    Such readers take `on_error`. A function that does not raise (a list's `append`) is given the error of each bad row,
    and the reader goes on with the next; a file that cannot be read at all still raises its error.
    """
    raise error
