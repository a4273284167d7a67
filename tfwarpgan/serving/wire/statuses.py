"""How a request fails: a code of gRPC by its name, and a text; with the same codes in HTTP."""

from tfwarpgan.serving.wire.messages import Code

HTTP_STATUSES = {
    "OK": 200, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499, "UNKNOWN": 500, "INTERNAL": 500, "DATA_LOSS": 500, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}  # fmt: skip


class ServingError(Exception):
    """A request that cannot be answered, or a version that cannot be loaded.

    Attributes:
        code: Name of the code, such as "NOT_FOUND".
        text: What the client is told.
    """

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def serving_error(error):
    """The `ServingError` that tells of any exception; one of TensorFlow keeps its code and text."""
    if isinstance(error, ServingError):
        return error
    number = getattr(error, "error_code", None)
    if isinstance(number, int) and number in Code.values():
        return ServingError(Code.Name(number), str(error.message))
    return ServingError("INTERNAL", f"{type(error).__name__}: {error}")


def deadline_exceeded():
    """What TensorFlow says of a run that took too long, for the time that a request spends waiting."""
    return ServingError("DEADLINE_EXCEEDED", "Timed out waiting for notification")
