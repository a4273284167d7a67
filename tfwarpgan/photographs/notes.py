"""What a user should know of a picture, though nothing is wrong."""

import sys


def note(sentence: str) -> None:
    """Tells it beside the result."""
    print(f"note: {sentence}", file=sys.stderr)
