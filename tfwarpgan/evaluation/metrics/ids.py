"""The ids of the metrics, and how `--metrics` names them; no TensorFlow here, so that a wrong one is refused at once.

An id is `metric/protocol`, such as `ssim/posegan`. What is done to both pictures first is added to it, in its order:

    +white40           40 white columns at each side, as PATN pads DeepFashion from 176 to 256 columns
    +mask/posegan      black outside of the target's pose mask, see `masks`; also /pg2 and /pg2-condition
    +graymask/posegan  mid-gray there, as GFLA masks for LPIPS

A name without a slash is every protocol of that metric that the field reports; `default` is what is measured when
nothing is named.
"""

import re
from collections.abc import Iterable

from tfwarpgan.errors import InputError

IDS = (
    "ssim/gaussian", "ssim/posegan", "ssim/uniform7", "ssim/win51", "ssim/ssim_256", "ssim/bodyroi7", "ssim/person",
    "l1/range2", "l1/range1", "l1/range255", "l1/person", "mae/gfla", "l2/pg2", "psnr/255",
    "is/openai2015", "fid/tf2015", "fid/clean", "fid/torchvision-gfla", "fid/torchvision-cfld", "fid/keras",
    "kid/clean", "lpips/alex-0.1", "lpips/alex-0.0", "lpips/vgg-0.1", "lpips/squeeze-0.1",
    "dists/vgg", "pckh/patn", "akd/mean", "mkr/mean", "ds/csv", "identity/cosine",
    "detail/person", "texture/garments",
)  # fmt: skip
DEFAULT = ("ssim/gaussian", "l1/range2", "psnr/255")
RANKING = "ssim/gaussian"  # always measured
OF_PARSINGS = ("ssim/person", "l1/person", "detail/person", "texture/garments")  # measured where there are parsings
WINDOWS = {
    "ssim/gaussian": 11, "ssim/posegan": 11, "ssim/uniform7": 7, "ssim/win51": 51, "ssim/ssim_256": 11,
    "ssim/bodyroi7": 7,
}  # fmt: skip
MODIFIER = r"white[1-9][0-9]{0,3}|(?:gray)?mask/(?:posegan|pg2|pg2-condition)"
LEAST_PICTURES = 2048  # of fid, which has as many features
ENOUGH_PICTURES = 10_000
_KEYS = {"l1/range2": "l1", "detail/person": "detail", "texture/garments": "texture"}


def chosen_ids(text: str) -> list[str]:
    """The ids that a value of --metrics names, in its order, each once.

    Args:
        text: Names separated by commas: ids, with or without what is added to them; metrics; or "default".

    Raises:
        InputError: Naming what is no metric.
    """
    found: list[str] = []
    for name in filter(None, map(str.strip, text.split(","))):
        base, *modifiers = name.split("+")
        for modifier in modifiers:
            if not re.fullmatch(MODIFIER, modifier):
                raise InputError(
                    f"--metrics: '+{modifier}' in '{name}' must be +white40 (columns at each side), or +mask/ or "
                    "+graymask/ with posegan, pg2 or pg2-condition."
                )
        found += ["+".join([each, *modifiers]) for each in _expanded(base)]
    return list(dict.fromkeys(found))


def _expanded(base: str) -> Iterable[str]:
    if base in IDS:
        return [base]
    fields = [each for each in IDS if each not in OF_PARSINGS]
    found = DEFAULT if base == "default" else [each for each in fields if each.startswith(f"{base}/")]
    if not found:
        raise InputError(f"--metrics: '{base}' must be default, or one of {', '.join(IDS)}.")
    return found


def measured_ids(text: str, parsings: bool) -> list[str]:
    """As `chosen_ids`, after the one that ranks the pairs of the report.

    Args:
        text: Value of --metrics.
        parsings: Whether the pairs have label maps, over which the default measures too.
    """
    ids = chosen_ids(text)
    more = OF_PARSINGS if parsings and set(DEFAULT) <= set(ids) else ()
    return list(dict.fromkeys([RANKING, *ids, *more]))


def key(id: str) -> str:
    """The name of a metric in metrics.json and pairs.csv; the first ones keep the names that they had before ids."""
    return _KEYS.get(id, id.replace("/", "_"))


def check_windows(ids: Iterable[str], height: int, width: int) -> None:
    """Refuses SSIM protocols whose window is larger than the images.

    Raises:
        InputError: Naming the protocol.
    """
    for id in ids:
        side = WINDOWS.get(id.partition("+")[0], 0)
        if min(height, width) < side:
            raise InputError(
                f"--metrics: {id} needs images of at least {side} x {side} pixels, and these have {height} x {width} "
                "(height x width); leave it out."
            )


def check_counts(ids: Iterable[str], count: int) -> None:
    """Refuses a Frechet distance of too few pictures, before anything is measured.

    Raises:
        InputError: With what to take instead.
    """
    for id in ids:
        if id.startswith("fid/") and count < LEAST_PICTURES:
            raise InputError(
                f"--metrics: {id} of {count} pictures would tell their number more than their quality; it needs "
                f"{LEAST_PICTURES}: take kid/clean instead, which has no such bias."
            )


def note_bias(ids: Iterable[str], count: int) -> None:
    """Prints a note where a Frechet distance is of fewer pictures than the field takes."""
    if count < ENOUGH_PICTURES and any(id.startswith("fid/") for id in ids):
        print(f"note: fid of {count} pictures is biased upwards; compare it with that of as many pictures alone.")
