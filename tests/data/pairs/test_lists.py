"""Lists of pairs of all projects; the order is declared."""

import pathlib
import time

import pytest

from tfwarpgan.data.layouts import market1501
from tfwarpgan.data.pairs import lists as pair_lists
from tfwarpgan.data.pairs import persons
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions

LINES = "img/MEN/x/04_1_front.jpg,img/MEN/x/04_4_full.jpg,img/MEN/x/04_7_additional.jpg\n\na.jpg,b.jpg\n"
ANNOTATIONS = pathlib.Path(__file__).resolve().parents[3] / "../shared/data/annotations"


def _file(tmp_path, text):
    (tmp_path / "pairs.txt").write_text(text)
    return str(tmp_path / "pairs.txt")


def test_lines_without_a_header_in_the_declared_order(tmp_path):
    path = _file(tmp_path, LINES)
    x = [f"img/MEN/x/04_{view}.jpg" for view in ("1_front", "4_full", "7_additional")]
    rows = list(pair_lists.read(path, "target_first"))
    assert [names for _, *names in rows] == [[x[1], x[0]], [x[2], x[0]], ["b.jpg", "a.jpg"]]
    assert [where for where, *_ in rows] == [f"{path}, line 1", f"{path}, line 1", f"{path}, line 3"]
    rows = list(pair_lists.read(path, "source_first"))
    assert [names for _, *names in rows] == [[x[0], x[1]], [x[0], x[2]], ["a.jpg", "b.jpg"]]


def test_the_order_is_never_guessed(tmp_path):
    with pytest.raises(InputError, match="not a header with from,to; give --pair_order=source_first or target_first"):
        list(pair_lists.read(_file(tmp_path, LINES)))


@pytest.mark.parametrize("order", ["header", "source_first", "target_first"])
def test_a_header_decides(tmp_path, order):
    path = _file(tmp_path, "\ufeffto,from\r\nb,a\r\n")
    assert list(pair_lists.read(path, order)) == [(f"{path}, row 1 (line 2)", "a", "b")]


def test_bad_lines_are_reported_together(tmp_path):
    errors = []
    path = _file(tmp_path, "a,b\na\n,b\na,,b\nb,a")
    assert len(list(pair_lists.read(path, "source_first", on_error=errors.append))) == 2
    assert [str(error).split(": ")[0].rpartition(" ")[2] for error in errors] == ["2", "3", "4"]


def test_pairs_of_another_list_and_duplicates(market, tmp_path):
    names = [f"0001_c1s1_00000{k}_01" for k in range(3)]
    path = _file(tmp_path, f"{names[0]}.jpg,{names[1]}.png,{names[2]}\n{names[0]},x/{names[1]}\n")
    changes = {"train_pairs": path, "pair_order": "target_first"}
    with pytest.raises(InputError, match="pairs.txt, line 2: the pair .* is already in line 1; .*duplicate_pairs"):
        persons.read_persons(market1501.Layout(str(market), data_options=DataOptions(**changes)), "train")
    kept = market1501.Layout(str(market), data_options=DataOptions(**changes, duplicate_pairs="keep"))
    (person,) = persons.read_persons(kept, "train")
    assert person.pairs == [(1, 0), (2, 0), (1, 0)]
    assert path in kept.lists() and str(market / "market-pairs-test.csv") in kept.lists()


def test_a_full_size_list_takes_seconds(tmp_path):
    """Market-1501's 263,632 training pairs."""
    lines = [f"{k:04d}_c1s1_{k:06d}_01.jpg,{k:04d}_c2s1_{k:06d}_02.jpg" for k in range(263_632)]
    path = _file(tmp_path, "from,to\n" + "\n".join(lines) + "\n")
    start = time.process_time()
    assert sum(1 for _ in pair_lists.read(path)) == 263_632
    assert time.process_time() - start < 10


@pytest.mark.parametrize("name, rows", [("fasion-pairs-test.csv", 300), ("market-pairs-test.csv", 300)])
def test_real_lists(name, rows):
    if not ANNOTATIONS.is_dir():
        pytest.skip(f"{ANNOTATIONS} is not there")
    found = list(pair_lists.read(str(ANNOTATIONS / name)))
    assert len(found) == rows and len({tuple(names) for _, *names in found}) == rows
