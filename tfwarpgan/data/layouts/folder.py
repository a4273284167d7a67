"""Any folder of pictures with a sub-folder for each person.

    people/anna/1.jpg  people/anna/beach/2.png  people/ben/1.webp

A picture is called by its path in the folder, with or without suffix; where its file name occurs once, that is enough.
Label maps have the same paths with .png, joints come from --keypoints in any format, persons are assigned to the splits
by a seed, and pairs are built by the rule.
"""

import collections
import os

from tfwarpgan.data.layouts import layout
from tfwarpgan.data.pictures.files import files_below, leaves, stem
from tfwarpgan.errors import InputError


class Layout(layout.Layout):
    """Where the files of a folder of persons are."""

    default_pair_source = "rule"
    what_to_get = "give --data_dir a folder with one sub-folder of pictures a person, and --keypoints their joints."

    def wanted(self):
        if not self.data_options.keypoints and not os.path.exists(self.annotation_csv("train")):
            raise InputError(
                "--dataset=folder needs --keypoints, the file or folder of the joints, and --keypoint_format, or an "
                f"{os.path.basename(self.annotation_csv('train'))} in {self.data_dir}."
            )
        return [self.data_dir, *super().wanted()]

    def folders(self):
        """The folders of pictures and label maps."""
        return [self.data_dir, self.parsing_dir]

    def annotation_csv(self, split):
        """One file for both splits, which are assigned by persons."""
        del split
        return os.path.join(self.data_dir, "annotation.csv")

    def pairs_csv(self, split):
        return os.path.join(self.data_dir, f"pairs-{split}.csv")

    def key(self, name):
        """The path without suffix; a bare file name gets the folders of the only picture of that name."""
        if leaves(name):
            return None
        key = stem(name)
        return key if key in self.pictures else self._by_file_name.get(os.path.basename(key), key)

    def person(self, name):
        """The sub-folder of a picture."""
        key = self.key(name) or name
        return key.split("/")[0]

    def list_pictures(self):
        keypoints = self.data_options.keypoints
        without = [self.parsing_dir, *([os.path.expanduser(keypoints)] if keypoints else [])]
        found = {}
        for name, path in files_below(self.data_dir, without=without).items():
            if "/" not in name:
                raise InputError(f"{path} lies in no person's folder; put it into a sub-folder named after its person.")
            if stem(name) in found:
                raise InputError(f"{path} and {found[stem(name)]} differ in their suffix only; remove one.")
            found[stem(name)] = path
        if not found:
            raise InputError(f"--data_dir={self.data_dir} holds no pictures; {self.what_to_get}")
        file_names = collections.Counter(os.path.basename(key) for key in found)
        self._by_file_name = {os.path.basename(key): key for key in found if file_names[os.path.basename(key)] == 1}
        return found

    def list_label_maps(self):
        return {name[:-4]: path for name, path in files_below(self.parsing_dir, (".png",)).items()}
