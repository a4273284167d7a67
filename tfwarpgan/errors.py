"""The one error type that a user's input can raise."""


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one sentence that says what is wrong, where (file, row) and what to do; commands print
    it and exit with a code that is not 0, without a traceback.
    """
