"""Joins the lists of a synthetic data set, in memory or part by part: images a second, and the memory that it takes.

    python benchmarks/lists.py --people=125000
    python benchmarks/lists.py --people=125000 --whole

Eight images and 56 pairs a person, in Market-1501's layout. The lists are written; the folders are only said to hold
the images, since the join opens none.
"""

import contextlib
import dataclasses
import os
import resource
import tempfile
import time

from tfwarpgan.command_line import run_command
from tfwarpgan.data.layouts import layout as layouts
from tfwarpgan.data.layouts import market1501
from tfwarpgan.data.pairs import joining
from tfwarpgan.options import DataOptions, option

IMAGES = 8
TEST_SHARE = 100  # one person of so many is for the tests


@dataclasses.dataclass(frozen=True)
class ListsOptions:
    """How much is joined."""

    people: int = option(125_000, "Persons.", minimum=200)
    pairs: int = option(7, "Pairs per image.", minimum=1, maximum=7)
    whole: bool = option(False, "Join in memory, as small data sets are.")


def names_of(person):
    return [f"{person:08d}_c{camera + 1}s1_{person % 10**6:06d}_00.jpg" for camera in range(IMAGES)]


class Layout(market1501.Layout):
    """Market-1501's, with folders that are only said to hold images."""

    def _people(self):
        for person in range(1, PEOPLE + 1):
            folder = "bounding_box_test" if person % TEST_SHARE == 0 else "bounding_box_train"
            for name in names_of(person):
                yield folder, name

    def iterate_images(self):
        return ((name[:-4], f"{self.data_dir}/{folder}/{name}") for folder, name in self._people())

    def iterate_label_maps(self):
        return ((name[:-4], f"{self.parsing_dir}/{name[:-4]}.png") for _, name in self._people())


def write_lists(folder, pairs):
    """Writes the annotations and pairs of both splits; returns their size in bytes."""
    for name in ("bounding_box_train", "bounding_box_test", "parsing"):
        os.mkdir(os.path.join(folder, name))
    joints = f"{[60 + k for k in range(18)]}: {[20 + k for k in range(18)]}"
    with contextlib.ExitStack() as stack:
        paths = [
            f"{folder}/market-{what}-{split}.csv" for split in ("train", "test") for what in ("annotation", "pairs")
        ]
        files = [stack.enter_context(open(path, "w")) for path in paths]
        for place, header in enumerate(("name:keypoints_y:keypoints_x\n", "from,to\n") * 2):
            files[place].write(header)
        for person in range(1, PEOPLE + 1):
            annotations, listed = files[2:] if person % TEST_SHARE == 0 else files[:2]
            names = names_of(person)
            annotations.writelines(f"{name}: {joints}\n" for name in names)
            for first, name in enumerate(names):
                listed.writelines(f"{name},{names[(first + step) % IMAGES]}\n" for step in range(1, pairs + 1))
    return sum(os.path.getsize(path) for path in paths)


def main(options):
    global PEOPLE
    PEOPLE = options.people
    with tempfile.TemporaryDirectory() as folder:
        size = write_lists(folder, options.pairs)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        layouts.LARGE = 1 << 60 if options.whole else 0
        start, processor = time.perf_counter(), time.process_time()
        layout = Layout(folder, data_options=DataOptions(dataset="market1501", data_dir=folder), in_parts=True)
        with joining.joined(layout) as (persons, _):
            counts = {split: len(found) for split, found in persons.items()}
            pairs = sum(len(person.pairs) for found in persons.values() for person in found)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    images = PEOPLE * IMAGES
    lists = f"lists of {size / 1e6:,.0f} MB, {layout.num_parts} parts"
    print(f"{images:,} images, {pairs:,} pairs of {counts} persons, {lists}")
    print(f"{seconds:,.0f} s, {processor:,.0f} s of a core: {images / processor:,.0f} images/s per core")
    print(f"memory: {before / 1024:,.0f} MiB before, {peak / 1024:,.0f} MiB at most")


if __name__ == "__main__":
    run_command(main, ListsOptions)
