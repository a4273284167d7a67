"""Reader of the Market-1501 layout (Zheng et al., "Scalable Person Re-identification", ICCV 2015).

Pictures are `PPPP_cCsS_FFFFFF_DD.jpg`: person, camera, sequence, frame, detection. Person -1 is junk and 0000 a
distractor; both are left out. Joints and pairs are in pose-gan's CSV files, parsings in a folder of PNGs of the same
stem.
"""

import os

from tfwarpgan.errors import InputError

_FOLDERS = ("query", "bounding_box_test", "bounding_box_train")  # a later folder wins where a name is in two
_NO_PERSON = ("-1", "0000")
_WANTED = (
    "bounding_box_train/, bounding_box_test/, market-annotation-train.csv, market-annotation-test.csv, "
    "market-pairs-train.csv, market-pairs-test.csv and parsing/"
)


class Layout:
    """Where the files of a Market-1501 folder are."""

    def __init__(self, data_dir, parsing_dir=""):
        """Lists the folders.

        Args:
            data_dir: Folder with `bounding_box_train`, `bounding_box_test` and the CSV files.
            parsing_dir: Folder of the label maps; empty for `parsing` in `data_dir`.

        Raises:
            InputError: If something of the layout is missing; it says what to get and where to put it.
        """
        self.data_dir = data_dir
        self.parsing_dir = parsing_dir or os.path.join(data_dir, "parsing")
        self._check()
        self._images = {}
        for folder in _FOLDERS:
            self._images.update(files_by_name(os.path.join(data_dir, folder)))
        self._parsings = {}
        for folder in ("", *_FOLDERS):  # one folder, or as `annotate` mirrors the folders of pictures
            self._parsings.update(files_by_name(os.path.join(self.parsing_dir, folder)))

    def folders(self):
        """The folders of pictures and label maps."""
        return [*(os.path.join(self.data_dir, folder) for folder in _FOLDERS), self.parsing_dir]

    def annotation_csv(self, split):
        return os.path.join(self.data_dir, f"market-annotation-{split}.csv")

    def pairs_csv(self, split):
        return os.path.join(self.data_dir, f"market-pairs-{split}.csv")

    def person(self, name):
        """The person on a picture, or None for junk and distractors."""
        person = name.split("_")[0]
        return None if person in _NO_PERSON else person

    def image(self, name):
        return self._images.get(name)

    def parsing(self, name):
        return self._parsings.get(os.path.splitext(name)[0] + ".png")

    def _check(self):
        wanted = [os.path.join(self.data_dir, folder) for folder in ("bounding_box_train", "bounding_box_test")]
        wanted += [path(split) for path in (self.annotation_csv, self.pairs_csv) for split in ("train", "test")]
        for path in wanted:
            if not os.path.exists(path):
                raise InputError(
                    f"{path} is missing: get Market-1501 and the pose-gan annotations and pairs, and give --data_dir "
                    f"the folder with {_WANTED}."
                )
        check_parsings(self.parsing_dir)


def check_parsings(parsing_dir):
    """Refuses a missing folder of parsings, and says how to make one."""
    if not os.path.isdir(parsing_dir):
        raise InputError(
            f"{parsing_dir} is missing: the parsings are one PNG of LIP labels a picture; make them with "
            "python -m tfwarpgan.annotate, or give their folder as --parsing_dir."
        )


def files_by_name(folder):
    """Maps file name to path of the files in a folder, empty where there is none."""
    if not os.path.isdir(folder):
        return {}
    with os.scandir(folder) as entries:
        return {entry.name: entry.path for entry in entries if not entry.is_dir()}
