"""Archives: what is unpacked, and what never is."""

import io
import os
import tarfile

import pytest

from tfwarpgan.data.pictures.archives import unpack_tar
from tfwarpgan.errors import InputError


def _tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            else:
                info.type, info.linkname = content
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return str(path)


def test_files_and_folders(tmp_path):
    path = _tar(tmp_path / "a.tar.gz", ("d", (tarfile.DIRTYPE, "")), ("d/a.txt", b"abc"), ("e/f/b.txt", b""))
    unpack_tar(path, str(tmp_path / "out"))
    assert (tmp_path / "out/d/a.txt").read_bytes() == b"abc" and (tmp_path / "out/e/f/b.txt").exists()
    with open(path, "rb") as file:
        unpack_tar(file, str(tmp_path / "again"))
    assert (tmp_path / "again/d/a.txt").exists()


@pytest.mark.parametrize("name, content, words", [
    ("/tmp/evil", b"x", "points out"), ("../evil", b"x", "points out"), ("a/../../evil", b"x", "points out"),
    ("evil", (tarfile.SYMTYPE, "/etc/passwd"), "link or device"), ("evil", (tarfile.LNKTYPE, "a"), "link or device"),
    ("evil", (tarfile.CHRTYPE, ""), "link or device"), ("evil", (tarfile.FIFOTYPE, ""), "link or device"),
    ("good", b"twice", "comes twice"), ("big", b"x" * 200, "more than the limit"),
])  # fmt: skip
def test_what_is_never_unpacked(tmp_path, name, content, words):
    path = _tar(tmp_path / "a.tar.gz", ("good", b"x"), (name, content))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=words):
        unpack_tar(path, str(tmp_path / "out"), max_bytes=100)
    assert os.listdir(tmp_path / "out") == ["good"] and sorted(os.listdir(tmp_path)) == ["a.tar.gz", "out"]


def test_too_many_members(tmp_path):
    path = _tar(tmp_path / "a.tar", *((f"{k}", b"") for k in range(5)), mode="w")
    with pytest.raises(InputError, match="limit"):
        unpack_tar(path, str(tmp_path / "out"), max_members=4)


@pytest.mark.parametrize("cut", [0, 10, -2000])
def test_no_whole_archive(tmp_path, cut):
    path = tmp_path / "a.tar.gz"
    _tar(path, ("a", os.urandom(5000)))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="a.tar.gz is no whole tar archive"):
        unpack_tar(str(path), str(tmp_path / "out"))
