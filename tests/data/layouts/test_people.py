"""The shipped people."""

import io
import tarfile

import pytest

from tfwarpgan.data.layouts import market1501, people
from tfwarpgan.data.pairs import persons
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return people.unpack(str(tmp_path_factory.mktemp("cache")))


def test_shipped_people_are_a_market_folder(folder):
    layout = market1501.Layout(folder)
    splits = {split: persons.read_persons(layout, split) for split in SPLITS}
    persons.check_disjoint(splits)
    counts = {
        split: (len(p), sum(len(x.names) for x in p), sum(len(x.pairs) for x in p)) for split, p in splits.items()
    }
    assert counts == {"train": (320, 2560, 17916), "test": (40, 320, 1200)}


def test_unpacked_once(folder, tmp_path, monkeypatch):
    first = people.unpack(str(tmp_path))
    monkeypatch.setattr(people, "_extract", lambda file, target: pytest.fail("unpacked again"))
    assert people.unpack(str(tmp_path)) == first
    assert [path.name for path in tmp_path.iterdir()] == [first.split("/")[-2]]


def _archive(name, **changes):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        for key, value in changes.items():
            setattr(member, key, value)
        archive.addfile(member)
    stream.seek(0)
    return stream


@pytest.mark.parametrize(
    "archive", [_archive("../evil"), _archive("people/link", type=tarfile.SYMTYPE, linkname="/etc/passwd")]
)
def test_nothing_lands_outside_and_nothing_half_unpacked_stays(tmp_path, archive):
    with pytest.raises(InputError, match="do not use this archive"):
        people._extract(archive, str(tmp_path / "cache" / "people"))
    assert list((tmp_path / "cache").iterdir()) == [] and not (tmp_path / "evil").exists()
