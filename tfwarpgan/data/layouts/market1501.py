"""Reader of the Market-1501 layout (Zheng et al., "Scalable Person Re-identification", ICCV 2015).

Images are `PPPP_cCsS_FFFFFF_DD.jpg`: person, camera, sequence, frame, detection. Person -1 is junk and 0000 a
distractor; both are left out. Joints and pairs are in pose-gan's CSV files, label maps in a folder of PNGs of the same
stem.
"""

import os
from collections.abc import Iterator

from tfwarpgan.data.layouts import layout
from tfwarpgan.data.pictures.files import files_in, leaves, plain, stem

_FOLDERS = ("bounding_box_train", "bounding_box_test", "query")  # the first counts where a name is in two
_NO_PERSON = ("-1", "0000")


class Layout(layout.Layout):
    """Where the files of a Market-1501 folder are."""

    what_to_get = (
        "get Market-1501 and the pose-gan annotations and pairs, and put them there, or give --data_dir the folder "
        "with bounding_box_train/, bounding_box_test/, market-annotation-train.csv, market-annotation-test.csv, "
        "market-pairs-train.csv, market-pairs-test.csv and parsing/."
    )

    def wanted(self) -> list[str]:
        names = ("bounding_box_test",) if self.is_test_only else ("bounding_box_train", "bounding_box_test")
        return [os.path.join(self.data_dir, name) for name in names] + super().wanted()

    def has_training_folder(self) -> bool:
        return bool(files_in(os.path.join(self.data_dir, "bounding_box_train"), self.data_dir))

    def folders(self) -> list[str]:
        """The folders of images and label maps."""
        return [*(os.path.join(self.data_dir, folder) for folder in _FOLDERS), self.parsing_dir]

    def annotation_csv(self, split: str) -> str:
        return os.path.join(self.data_dir, f"market-annotation-{split}.csv")

    def pairs_csv(self, split: str) -> str:
        return os.path.join(self.data_dir, f"market-pairs-{split}.csv")

    def key(self, name: str) -> str | None:
        return None if leaves(name) else os.path.basename(stem(plain(name)))

    def person(self, name: str) -> str | None:
        """The person on an image, or None for junk and distractors."""
        person = os.path.basename(plain(name)).split("_")[0]
        return None if person in _NO_PERSON else person

    def own_split(self, key: str) -> str:
        return "train" if os.path.basename(os.path.dirname(self.images[key])) == "bounding_box_train" else "test"

    def iterate_images(self) -> Iterator[tuple[str, str]]:
        for folder in _FOLDERS:
            for name, path in self._files(os.path.join(self.data_dir, folder)):
                if stem(name) != name:
                    yield stem(name), path

    def iterate_label_maps(self) -> Iterator[tuple[str, str]]:
        for folder in (*_FOLDERS, ""):  # as `annotate` mirrors the folders of images, or one folder
            for name, path in self._files(os.path.join(self.parsing_dir, folder)):
                if name.lower().endswith(".png"):
                    yield name[:-4], path

    def _files(self, folder: str) -> Iterator[tuple[str, str]]:
        return files_in(folder, self.data_dir, follow_links=self.data_options.follow_links)

    def shown_name(self, path: str) -> str:
        return os.path.basename(path)
