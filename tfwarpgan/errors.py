"""The one error type that a user's input can raise, and what readers of many rows do with it."""

import re


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one sentence that says what is wrong, where (file, row) and what to do; commands print
    it and exit with a code that is not 0, without a traceback. It stays on one line, whatever names it quotes.
    """

    def __init__(self, sentence):
        super().__init__(re.sub(r"\s*[\r\n\v\f\x85\u2028\u2029]\s*", " ", sentence))


def raise_error(error):
    """What a reader of many rows does with a bad one unless it is told otherwise: raises the `InputError`.

    Such readers take `on_error`. A function that does not raise (a list's `append`) is given the error of each bad row,
    and the reader goes on with the next; a file that cannot be read at all is raised all the same.
    """
    raise error
