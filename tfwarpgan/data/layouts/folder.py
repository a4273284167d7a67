"""Any folder of images with a subfolder for each person.

    people/anna/1.jpg  people/anna/beach/2.png  people/ben/1.webp

An image is called by its path in the folder, with or without suffix; where its file name occurs once, that is enough.
Label maps have the same paths with .png, joints come from --keypoints in any format, persons are assigned to the splits
by a seed, and pairs are built by the rule.
"""

import collections
import os
from collections.abc import Iterator

from tfwarpgan.data.layouts import layout
from tfwarpgan.data.pictures.files import files_below, leaves, plain, stem
from tfwarpgan.errors import InputError


class Layout(layout.Layout):
    """Where the files of a folder of persons are."""

    default_pair_source = "rule"
    names_tell_persons = False
    what_to_get = "give --data_dir a folder with one subfolder of images per person, and --keypoints their joints."

    def wanted(self) -> list[str]:
        if not self.data_options.keypoints and not os.path.exists(self.annotation_csv("train")):
            raise InputError(
                "--dataset=folder needs --keypoints, the file or folder of the joints, and --keypoint_format, or an "
                f"{os.path.basename(self.annotation_csv('train'))} in {self.data_dir}."
            )
        return [self.data_dir, *super().wanted()]

    def folders(self) -> list[str]:
        """The folders of images and label maps."""
        return [self.data_dir, self.parsing_dir]

    def annotation_csv(self, split: str) -> str:
        """One file for both splits, which are assigned by persons."""
        del split
        return os.path.join(self.data_dir, "annotation.csv")

    def pairs_csv(self, split: str) -> str:
        return os.path.join(self.data_dir, f"pairs-{split}.csv")

    def key(self, name: str) -> str | None:
        """The path without suffix; a bare file name gets the folders of the only image of that name.

        Folders above those of the persons, which other programs may have noted, are left out.
        """
        if leaves(name):
            return None
        key = stem(plain(name))
        if key in self.images or key.split("/")[0] in self._persons:
            return key
        parts = key.split("/")
        inner = ("/".join(parts[start:]) for start in range(1, len(parts) - 1))
        known = next((path for path in inner if path in self.images), None)
        return known or self._by_file_name.get(parts[-1], key)

    def why_missing(self, name: str, what: str = "image") -> str:
        same = [key for key in self.images if os.path.basename(key) == stem(plain(name))]
        if what == "image" and len(same) > 1:
            return (
                f"{name} is the name of {len(same)} images, {same[0]} and {same[1]} among them; write the folder too."
            )
        return super().why_missing(name, what)

    def person(self, name: str) -> str:
        """The subfolder of an image."""
        key = self.key(name) or name
        return key.split("/")[0]

    def iterate_images(self) -> Iterator[tuple[str, str]]:
        keypoints = self.data_options.keypoints
        without = [self.parsing_dir, *([os.path.expanduser(keypoints)] if keypoints else [])]
        found: dict[str, str] = {}
        for name, path in files_below(
            self.data_dir, without=without, follow_links=self.data_options.follow_links
        ).items():
            if "/" not in name:
                raise InputError(
                    f"{path} is not in a person's folder; move it into a subfolder named after the person."
                )
            if stem(name) in found:
                raise InputError(f"{path} and {found[stem(name)]} differ only in their suffix; remove one.")
            found[stem(name)] = path
        if not found:
            raise InputError(f"--data_dir={self.data_dir} contains no images; {self.what_to_get}")
        self._persons = {key.split("/")[0] for key in found}
        file_names = collections.Counter(os.path.basename(key) for key in found)
        self._by_file_name = {os.path.basename(key): key for key in found if file_names[os.path.basename(key)] == 1}
        return iter(found.items())

    def iterate_label_maps(self) -> Iterator[tuple[str, str]]:
        files = files_below(self.parsing_dir, (".png",), follow_links=self.data_options.follow_links)
        return ((name[:-4], path) for name, path in files.items())
