"""Lists and CSV files as spreadsheets, pandas and R write them: the same rows."""

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.storage import tables

JOINTS = "name", "keypoints_y", "keypoints_x"
ROW = ["a b.jpg", "[1, 2]", "[3, 4]"]


def _file(tmp_path, text, encoding="utf-8"):
    (tmp_path / "list.csv").write_bytes(text.encode(encoding))
    return str(tmp_path / "list.csv")


@pytest.mark.parametrize("text", [
    "from,to\na,b\n", "from\tto\na\tb", "From ; TO\n a ; b \n", '"from","to"\r\n"a","b"\r\n', "\ufefffrom|to\ra|b\r",
    ",from,to\n0,a,b\n", "from,to\n1,a,b\n", "to,x,from\nb,9,a\n", "\n\nfrom,to\n\na,b\n\n", '"from,to"\n"a,b"\n',
    "from to\na b\n", "from:to\na:b",
])  # fmt: skip
def test_pairs_in_every_spelling(tmp_path, text):
    assert [cells for _, cells in tables.read_table(_file(tmp_path, text), ("from", "to"), "pairs")] == [["a", "b"]]


def test_utf_16_of_spreadsheets(tmp_path):
    path = _file(tmp_path, "from\tto\r\nä\tb\r\n", "utf-16")
    assert list(tables.read_table(path, ("from", "to"), "pairs")) == [(1, ["ä", "b"])]


@pytest.mark.parametrize("text", [
    "name:keypoints_y:keypoints_x\na b.jpg: [1, 2]: [3, 4]",
    '"name:keypoints_y:keypoints_x"\n"a b.jpg: [1, 2]: [3, 4]"',
    'name,keypoints_y,keypoints_x\na b.jpg,"[1, 2]","[3, 4]"', "name,keypoints_y,keypoints_x\na b.jpg,[1, 2],[3, 4]",
    ":Name:Keypoints_Y:Keypoints_X\n0:a b.jpg:[1, 2]:[3, 4]", "name\tkeypoints_y\tkeypoints_x\na b.jpg\t[1, 2]\t[3, 4]",
    "keypoints_y;keypoints_x;name\n[1, 2];[3, 4];a b.jpg",
    '"";"name";"keypoints_y";"keypoints_x"\n1;"a b.jpg";"[1, 2]";"[3, 4]"',
])  # fmt: skip
def test_annotations_in_every_spelling(tmp_path, text):
    rows = tables.read_table(_file(tmp_path, text), JOINTS, "joints", delimiter=":")
    assert [[cell.replace(",2", ", 2").replace(",4", ", 4") for cell in cells] for _, cells in rows] == [ROW]


def test_a_name_may_hold_the_delimiter(tmp_path):
    path = _file(tmp_path, "name:keypoints_y:keypoints_x\n12:30/a:b.jpg: [1]: [2]\n7:a: [1]: [2]\n")
    rows = [cells[0] for _, cells in tables.read_table(path, JOINTS, "joints", delimiter=":")]
    assert rows == ["12:30/a:b.jpg", "7:a"]


def test_an_open_quote_ends_with_its_line(tmp_path):
    path = _file(tmp_path, 'from,to\n"a,b\nc,d\n')
    errors = []
    assert list(tables.read_table(path, ("from", "to"), "pairs", on_error=errors.append)) == [(2, ["c", "d"])]
    assert "row 1 (line 2): the line cannot be read" in str(errors[0])


@pytest.mark.parametrize("text, words", [
    ("a,b\n", "header 'a,b' has no columns from and to"), ("from,to,to\na,b,c", "names the column to twice"),
    ("from,to\n\n", "no rows below its header"), ("from,to\na\n", r"row 1 \(line 2\): 1 columns"),
    ("from,to\n" + "x" * (2 << 20), "line 2 is longer than a row can be"),
])  # fmt: skip
def test_what_is_no_such_table_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        list(tables.read_table(_file(tmp_path, text), ("from", "to"), "pairs"))


@pytest.mark.parametrize(
    "text", ["a b.jpg\nc.jpg\n", '"a b.jpg"\r\n\r\n"c.jpg"', "0,a b.jpg\n1,c.jpg", "1\ta b.jpg\n2\tc.jpg"]
)
def test_names_one_per_line(tmp_path, text):
    assert [name for _, name in tables.read_names(_file(tmp_path, text))] == ["a b.jpg", "c.jpg"]


@pytest.mark.parametrize("mark", [",", "\t", ";", " "])
def test_rows_without_a_header(tmp_path, mark):
    rows = list(tables.read_rows(_file(tmp_path, f'a{mark}b\n\n"c"{mark}d{mark}e\n'), "pairs"))
    assert rows == [(1, ["a", "b"]), (3, ["c", "d", "e"])]
