"""The command that prepares."""

from tfwarpgan import prepare
from tfwarpgan.options import Options


def test_counts_and_place_are_printed(options, capsys, tmp_path):
    prepare.main(Options(data=options()), prepare.PrepareOptions())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["train: 5 persons, 14 images, 28 pairs", "test: 2 persons, 5 images, 8 pairs"]
    assert str(tmp_path / "prepared") in lines[2] and "64 x 32" in lines[2]
    assert len(lines) == 3
