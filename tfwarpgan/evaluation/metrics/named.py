"""Names of pictures in files that other programs wrote."""

from tfwarpgan.data.pictures.files import plain, stem


def picture_name(name: str) -> str:
    """A picture's name without suffix, with slashes alone."""
    return stem(plain(name))
