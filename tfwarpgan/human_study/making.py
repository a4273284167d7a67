"""Makes a study: matches and draws pictures, designs the trials, and writes the folder."""

import dataclasses
import os
import random
from collections.abc import Iterable, Mapping

from tfwarpgan.data.layouts import people
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.errors import InputError
from tfwarpgan.human_study import design, pages
from tfwarpgan.human_study.design import CORRUPTED, REAL
from tfwarpgan.human_study.document import DOCUMENT, MTURK, PUBLIC, Study
from tfwarpgan.human_study.pictures import PictureWriter, check_sizes, corrupted, matched, named_pictures
from tfwarpgan.options import option
from tfwarpgan.storage.locks import disk_errors
from tfwarpgan.storage.writing import unfinished_folder, write_atomically

PEOPLE_TERMS = "Some show rendered people, who do not exist (CC0)."
METHODS = ("a", "b", "c", "d", "e")
MOST_REPEATS = 0.25  # of the pairs: repeats come from a rater's first half


@dataclasses.dataclass(frozen=True)
class MakeOptions:
    """make: which pictures are compared, and by how many raters."""

    a: str = option("", "Pictures of the first method: FOLDER, or NAME=FOLDER to name the method.")
    b: str = option("", "Pictures of the second one, with the same names.")
    c: str = option("", "Pictures of a third one.")
    d: str = option("", "Pictures of a fourth one.")
    e: str = option("", "Pictures of a fifth one.")
    condition: str = option("", "Folder of pictures of the persons, by the same names, to show above the two.")
    target_pose: str = option("", "Folder of pictures of the target poses, by the same names, to show above the two.")
    real: str = option("", "Folder of real pictures for practice and checks; default: the bundled rendered people.")
    pairs: int = option(100, "Number of pairs of pictures to draw; each rater judges each of them once.", minimum=1)
    raters: int = option(
        0, "Number of raters, a multiple of twice the comparisons; 0: 10 for each comparison.", minimum=0
    )
    comparisons: str = option(
        "all", "Of three methods or more: compare all with each other, or the first with each.",
        choices=("all", "first"),
    )  # fmt: skip
    practice: int = option(10, "Number of trials with feedback before the others.", minimum=0)
    check_share: float = option(
        0.1, "Checks, a real picture beside a corrupted one, as a share of the pairs.", minimum=0, maximum=1
    )
    repeat_share: float = option(
        0.05, "Pairs that are shown again with the sides swapped, as a share of the pairs.", minimum=0,
        maximum=MOST_REPEATS,
    )  # fmt: skip
    study_seed: int = option(0, "Seed of all that is drawn.", minimum=0)
    contact: str = option("", "Whom raters can ask, such as an address for mail; shown on the first page.")
    purpose: str = option(
        "We compare computer programs that draw a person in another pose.", "What raters are told that it is for."
    )
    picture_terms: str = option(
        "", "Under what terms the pictures are shown, such as their license; on the first page."
    )
    base_url: str = option("", "Address at which the public folder will lie, for Mechanical Turk: https://...")

    def __post_init__(self) -> None:
        for flag in ("a", "b", "contact"):
            if not getattr(self, flag):
                what = "whom raters can ask" if flag == "contact" else "the folder of a method's pictures"
                raise InputError(f"--{flag} is missing; give {what}.")
        if self.base_url and not self.base_url.startswith("https://"):
            raise InputError(f"--base_url={self.base_url} must begin with https://, as Mechanical Turk demands.")

    def folders(self) -> dict[str, tuple[str, str]]:
        """Name of a method -> (flag, folder).

        Raises:
            InputError: If two have one name.
        """
        found: dict[str, tuple[str, str]] = {}
        for flag in METHODS:
            if value := getattr(self, flag):
                before, equals, after = value.partition("=")
                folder = os.path.expanduser(after if equals else before)
                name = before if equals else os.path.basename(os.path.normpath(folder))
                if name in found or name in (REAL, CORRUPTED):
                    raise InputError(f"--{flag}={value} is a second method '{name}'; name it as NAME=FOLDER.")
                found[name] = flag, folder
        return found


def make(options: MakeOptions, folder: str, version: str) -> Study:
    """Makes a study in a new folder, which is there as a whole or not at all.

    Args:
        options: What is asked for.
        folder: Of the study.
        version: Of the package.

    Raises:
        InputError: If the pictures do not fit, or the folder exists.
    """
    if os.path.exists(folder):
        raise InputError(f"--study={folder} is there already; choose another folder, answers are never overwritten.")
    methods = {name: named_pictures(path, flag) for name, (flag, path) in options.folders().items()}
    compared = design.comparisons(list(methods), options.comparisons)
    raters = design.number_of_raters(options.raters, len(compared))
    state = random.Random(options.study_seed)
    pairs = drawn(matched(methods), options.pairs, "--pairs", "the methods", state)
    real, practice, checks = _real_pictures(options, state)
    beside = {flag: _shown(getattr(options, flag), flag, pairs) for flag in ("condition", "target_pose")}
    folder = os.path.abspath(folder)
    with disk_errors(folder, "--study"), unfinished_folder(os.path.dirname(folder)) as unfinished:
        writer = PictureWriter(os.path.join(unfinished, PUBLIC))
        study = Study(
            methods=list(methods),
            comparisons=compared,
            pairs=pairs,
            slots=design.slots(
                pairs, compared, practice, checks, design.share_of(options.repeat_share, len(pairs)), raters,
                options.study_seed,
            ),
            pictures=_methods_pictures(writer, methods, pairs) | _known_pictures(writer, real, practice + checks),
            conditions=writer.copies(beside["condition"], beside["condition"]),
            poses=writer.copies(beside["target_pose"], beside["target_pose"]),
            contact=options.contact,
            purpose=options.purpose,
            terms=options.picture_terms or ("" if options.real else PEOPLE_TERMS),
            seed=options.study_seed,
            version=version,
        )  # fmt: skip
        write_atomically(os.path.join(unfinished, DOCUMENT), study.to_json())
        pages.write_public(study, os.path.join(unfinished, PUBLIC))
        pages.write_mturk(study, os.path.join(unfinished, MTURK), options.base_url)
        os.rename(unfinished, folder)
    return study


def drawn(names: Iterable[str], count: int, flag: str, where: str, state: random.Random) -> list[str]:
    """Some of the names at random, sorted.

    Raises:
        InputError: If there are fewer.
    """
    listed = list(names)
    if len(listed) < count:
        raise InputError(f"{flag} asks for {count} pictures, but there are {len(listed)} of {where}; ask for fewer.")
    return sorted(state.sample(listed, count))


def _real_pictures(options: MakeOptions, state: random.Random) -> tuple[dict[str, str], list[str], list[str]]:
    """(pictures by name, names for practice, names for checks)."""
    folder = os.path.expanduser(options.real) or os.path.join(people.unpack(), "bounding_box_test")
    pictures = named_pictures(folder, "real")
    checks = design.share_of(options.check_share, options.pairs)
    names = drawn(
        pictures, options.practice + checks, "--practice and --check_share", f"real pictures ({folder})", state
    )
    state.shuffle(names)
    return pictures, names[: options.practice], names[options.practice :]


def _shown(folder: str, flag: str, pairs: Iterable[str]) -> dict[str, str]:
    """Name -> path of what is shown above the pairs; nothing where no folder is given."""
    if not folder:
        return {}
    pictures, found = named_pictures(os.path.expanduser(folder), flag), {}
    for name in pairs:
        known = [candidate for candidate in (name, part_of(name, flag)) if candidate in pictures]
        if not known:
            raise InputError(f"--{flag}={folder} has no picture named {name} or {part_of(name, flag)}; give one.")
        found[name] = pictures[known[0]]
    return found


def part_of(name: str, flag: str) -> str:
    """Of a result named FROM_2_TO, as `synthesize --pairs` names them: FROM for the condition, TO for the pose."""
    first, _, second = name.removesuffix("_vis").partition("_2_")
    return first if flag == "condition" else second


def _methods_pictures(
    writer: PictureWriter, methods: Mapping[str, Mapping[str, str]], pairs: Iterable[str]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {method: {} for method in methods}
    for name in pairs:
        paths = {method: pictures[name] for method, pictures in methods.items()}
        pictures = {method: read_rgb(path) for method, path in paths.items()}
        check_sizes(name, pictures, paths)
        for method, picture in pictures.items():
            found[method][name] = writer.write(picture)
    return found


def _known_pictures(writer: PictureWriter, paths: Mapping[str, str], names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The real and the corrupted pictures of practice and checks."""
    found: dict[str, dict[str, str]] = {REAL: {}, CORRUPTED: {}}
    for place, name in enumerate(names):
        picture = read_rgb(paths[name])
        found[REAL][name], found[CORRUPTED][name] = writer.write(picture), writer.write(corrupted(picture, place))
    return found
