"""Files that are whole or not there."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import (
    check_place,
    encode_jpeg,
    encode_png,
    save_png,
    unfinished_folder,
    write_atomically,
)


def test_save_png_makes_folders_and_leaves_nothing_else(tmp_path):
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    path = tmp_path / "new" / "a.png"
    save_png(path, picture)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)
    assert os.listdir(path.parent) == ["a.png"]


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.txt", "new")
    assert os.listdir(tmp_path) == []


def test_a_failed_write_is_one_sentence_and_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"a\.txt cannot be written \(No space left on device\)"):
        write_atomically(path, "new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


def test_a_place_that_cannot_be_written_is_refused_before(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    check_place(str(tmp_path / "file"))
    check_place(str(tmp_path / "new" / "folders" / "file"))
    check_place("s3://bucket/file")
    for place, reason in ((tmp_path, "it is a folder"), (tmp_path / "file" / "inside", "/file is no folder")):
        with pytest.raises(InputError, match=f"^{place} cannot be written .*{reason}.; .* choose another place.$"):
            check_place(str(place))
    monkeypatch.setattr(os, "access", lambda *asked: False)
    with pytest.raises(InputError, match="Permission denied"):
        check_place(str(tmp_path / "file"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("encode", [encode_png, encode_jpeg])
def test_encoders(encode):
    pixels = np.full((8, 8, 3), (10, 200, 30), np.uint8)
    np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(encode(pixels)))), pixels, atol=2)


KILLED = """
import os, signal, sys
from tfwarpgan.storage.writing import unfinished_folder
with unfinished_folder(sys.argv[1]) as folder:
    open(os.path.join(folder, "half"), "w").close()
    print(os.path.basename(folder), flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_is_removed_and_what_another_one_fills_is_not(tmp_path):
    """The folders of two processes, of which one is killed."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "12"]
    killed, filling = (process.stdout.readline().strip() for process in processes)
    processes[0].kill()
    processes[0].wait(10)
    with unfinished_folder(str(tmp_path)) as folder:
        assert set(os.listdir(tmp_path)) == {filling, os.path.basename(folder)} and killed != filling
        assert os.listdir(tmp_path / filling) == ["half"]
    for process in processes:
        process.communicate(timeout=10)
