"""Pages to look at: one HTML file with its pictures inside, which any browser shows without internet access."""

import base64
import html
from collections.abc import Iterable

from tfwarpgan.storage.writing import encode_png
from tfwarpgan.typing import Picture

STYLE = """
body { font: 14px sans-serif; margin: 2em; color: #222; }
table { border-collapse: collapse; } th, td { padding: 4px 8px; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } tr { border-bottom: 1px solid #ddd; }
img { image-rendering: pixelated; height: 256px; } code, td.protocol { font-size: 12px; }
figure { display: inline-block; margin: 0 1.5em 1.5em 0; } figcaption { max-width: 40em; overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 1em; height: 1em; margin: 0 4px 0 12px; vertical-align: middle; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The text of a page.

    Args:
        title: Plain text.
        parts: Pieces of HTML, in order.
    """
    head = [
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>',
        f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
    ]
    return "\n".join([*head, *parts, "</body></html>"]) + "\n"


def preformatted(text: str) -> str:
    """A piece of HTML that shows plain text as it is."""
    return f"<pre>{html.escape(text)}</pre>"


def image(name: str, picture: Picture) -> str:
    """A piece of HTML that shows a uint8 picture, [H, W, 3]."""
    return png_image(name, encode_png(picture))


def png_image(name: str, data: bytes, style: str = "") -> str:
    """A piece of HTML that shows the bytes of a PNG; `style` is a class of the page's, or empty."""
    kind = f'class="{style}" ' if style else ""
    return f'<img {kind}alt="{html.escape(name)}" src="data:image/png;base64,{base64.b64encode(data).decode()}">'


def image_file(name: str, path: str) -> str:
    """A piece of HTML that shows a PNG file, whose bytes lie in the page."""
    with open(path, "rb") as file:
        return png_image(name, file.read())
