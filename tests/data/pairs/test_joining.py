"""Lists that are joined part by part: the same persons as in memory."""

import numpy as np
import pytest

from tfwarpgan.data.layouts import layout as layouts
from tfwarpgan.data.layouts import market1501
from tfwarpgan.data.pairs import joining
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError


def _persons(options):
    layout = market1501.Layout(options.data_dir, "", options, in_parts=True)
    with joining.joined(layout) as (persons, *_):
        return layout.num_parts, {
            split: sorted(found, key=lambda person: person.name) for split, found in persons.items()
        }


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr(layouts, "LARGE", 0)
    monkeypatch.setattr(layouts, "PART", 500)


@pytest.fixture
def whole(market):
    """Every joint of every person is seen."""
    for split in SPLITS:
        path = market / f"market-annotation-{split}.csv"
        header, *rows = path.read_text().splitlines()
        names = [row.split(":")[0] for row in rows]
        path.write_text("\n".join([header, *(f"{name}: {[9] * 18}: {[8] * 18}" for name in names)]))


@pytest.mark.parametrize("changes", [{}, {"pair_source": "rule"}])
def test_parts_give_the_same_persons(options, whole, changes, monkeypatch):
    data = options(**changes)
    count, expected = _persons(data)
    monkeypatch.setattr(layouts, "LARGE", 0)
    monkeypatch.setattr(layouts, "PART", 500)
    parts, found = _persons(data)
    assert count == 1 and parts > 3
    for split, persons in expected.items():
        assert [person.name for person in found[split]] == [person.name for person in persons]
        for person, again in zip(persons, found[split]):
            assert (again.names, again.images, again.label_maps, again.rows) == (
                person.names, person.images, person.label_maps, person.rows,
            )  # fmt: skip
            assert again.pairs == person.pairs
            np.testing.assert_array_equal(again.joints, person.joints)


def test_records_of_parts_are_the_same(options, tmp_path, in_parts, monkeypatch):
    in_parts = preparation.prepare(options())
    monkeypatch.setattr(layouts, "LARGE", 1 << 30)
    whole = preparation.prepare(options(prepared_dir=str(tmp_path / "again")))
    assert in_parts.folder.split("/")[-4:] == whole.folder.split("/")[-4:]
    assert in_parts.num_pairs == whole.num_pairs == {"train": 28, "test": 8}


def _unused(market, tmp_path):
    path = market / "market-annotation-train.csv"
    first, second, *rows = path.read_text().splitlines()
    name = second.split(":")[0]
    path.write_text("\n".join([first, f"{name}: {[-1] * 18}: {[-1] * 18}", *rows[:-1]]))
    pairs = market / "market-pairs-train.csv"
    names = (name, rows[-1].split(":")[0])
    kept = (row for row in pairs.read_text().splitlines() if not set(row.split(",")) & set(names))
    pairs.write_text("\n".join(kept))
    return 2


def _test_only(market, tmp_path):
    (market / "market-annotation-train.csv").unlink()
    (market / "market-pairs-train.csv").write_text("from,to\n")
    return 2


@pytest.mark.parametrize("make", [_unused, _test_only])
def test_parts_tell_what_is_not_used(options, market, tmp_path, make, monkeypatch):
    count = make(market, tmp_path)
    whole = preparation.prepare(options())
    monkeypatch.setattr(layouts, "LARGE", 0)
    monkeypatch.setattr(layouts, "PART", 500)
    in_parts = preparation.prepare(options(prepared_dir=str(tmp_path / "again")))
    assert in_parts.notes == whole.notes and len(whole.notes) == count
    assert in_parts.num_pairs == whole.num_pairs


def test_joints_of_parts_are_checked(options, market, in_parts):
    for split in SPLITS:
        path = market / f"market-annotation-{split}.csv"
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *(f"{row.split(':')[0]}: {[900] * 18}: {[900] * 18}" for row in rows)]))
    with pytest.raises(InputError, match="do not lie on the person|lie outside"):
        preparation.prepare(options())


def test_pairs_drawn_over_all_parts(options, whole, in_parts):
    _, found = _persons(options(pair_source="rule", max_train_pairs=7))
    drawn = [(person.name, pair) for person in found["train"] for pair in person.pairs]
    assert len(drawn) == len(set(drawn)) == 7


@pytest.mark.parametrize("pair, words", [
    ("0001_c1s1_000000_01.jpg,0002_c1s1_000000_01.jpg", "row 29 .* show two persons"),
    ("0001_c1s1_000000_01.jpg,0001_c9s1_000000_01.jpg", "row 29 .* there is no image 0001_c9s1_000000_01.jpg"),
])  # fmt: skip
def test_errors_name_their_row(options, market, in_parts, pair, words):
    with (market / "market-pairs-train.csv").open("a") as file:
        file.write(f"{pair}\n")
    with pytest.raises(InputError, match=words):
        _persons(options())
