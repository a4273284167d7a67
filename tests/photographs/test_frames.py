"""Frames of videos and animations: in time, in order, and one sentence for what cannot be read."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.photographs import ffmpeg, frames
from tfwarpgan.photographs.animation import save_animation
from tfwarpgan.photographs.frames import list_frames

PICTURES = [np.full((32, 64, 3), 30 * number, np.uint8) for number in range(8)]


def grays(path, frames_per_second):
    return [round(shot.pixels.mean() / 30) for shot in list_frames(str(path), frames_per_second)]


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
def test_an_animation_is_read_as_fast_as_it_plays(tmp_path, suffix):
    path = tmp_path / f"dance{suffix}"
    save_animation(str(path), PICTURES, 10)
    assert grays(path, 10) == list(range(8))
    assert grays(path, 20) == [number for number in range(8) for _ in range(2)]
    assert grays(path, 5) == [0, 2, 4, 6] or grays(path, 5) == [1, 3, 5, 7]


def test_pictures_are_shown_as_long_as_they_say(tmp_path):
    first, *others = (Image.fromarray(picture) for picture in PICTURES[:3])
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[100, 400, 200])
    assert grays(tmp_path / "a.gif", 10) == [0, 1, 1, 1, 1, 2, 2]


def test_a_large_picture_becomes_small(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "SIDE", 16)
    save_animation(str(tmp_path / "a.webp"), PICTURES, 10)
    assert next(list_frames(str(tmp_path / "a.webp"), 10)).pixels.shape == (8, 16, 3)


def test_what_is_no_sequence_is_told(tmp_path, monkeypatch):
    Image.fromarray(PICTURES[0]).save(tmp_path / "one.png")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    for name, told in (
        ("one.png", "shows no sequence, 1 pictures; give --pose_from for a single one"), ("none.mp4", "is missing"),
        ("broken.gif", "cannot be read as an image"), ("folder", "is no folder"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=told):
            list(list_frames(str(tmp_path / name), 12))
    save_animation(str(tmp_path / "long.gif"), PICTURES, 10)
    monkeypatch.setattr(frames, "MOST", 5)
    with pytest.raises(InputError, match="has more than 5 frames at --frames_per_second=12; cut it"):
        list(list_frames(str(tmp_path / "long.gif"), 12))


def program(folder, monkeypatch, script):
    """A program of that name on the path, and no other."""
    path = folder / "bin" / "ffmpeg"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))


def test_ffmpeg_is_asked_for_upright_pictures_of_the_wanted_rate(tmp_path, monkeypatch):
    """A stand-in writes what it is asked for, then pictures of 2 x 1 pixels."""
    program(tmp_path, monkeypatch, (
        "import sys\n"
        f"open({str(tmp_path / 'asked')!r}, 'w').write('\\n'.join(sys.argv))\n"
        "[sys.stdout.buffer.write(b'P6\\n2 1\\n255\\n' + bytes([10 * k] * 6)) for k in (1, 2, 10)]\n"
    ))  # fmt: skip
    (tmp_path / "a.mp4").touch()
    shots = list(list_frames(str(tmp_path / "a.mp4"), 12.5))
    assert [shot.pixels[0, 1, 2] for shot in shots] == [10, 20, 100] and shots[0].pixels.shape == (1, 2, 3)
    assert shots[1].name == f"{tmp_path / 'a.mp4'}, frame 2"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[asked.index("-i") + 1] == str(tmp_path / "a.mp4") and any("fps=12.5," in each for each in asked)


def test_what_ffmpeg_says_is_told(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "import sys\nsys.exit('before\\nmoov atom not found')")
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match=r"a\.mp4 cannot be read as a video \(moov atom not found\)"):
        list(list_frames(str(tmp_path / "a.mp4"), 12))
    with pytest.raises(InputError, match=r"b\.mp4 cannot be written by ffmpeg \(moov atom not found\); write \.webp"):
        ffmpeg.mp4("b.mp4", PICTURES, 12)


def test_without_ffmpeg_a_video_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    (tmp_path / "a.webm").touch()
    told = r"a\.webm needs ffmpeg: install it, or pip install 'tfwarpgan\[video\]', which brings it, or give a folder"
    with pytest.raises(InputError, match=told):
        list(list_frames(str(tmp_path / "a.webm"), 12))


def test_a_video_is_read_as_it_was_written(tmp_path):
    if not (shutil.which("ffmpeg") or importlib.util.find_spec("imageio_ffmpeg")):
        pytest.skip("ffmpeg is not there")
    save_animation(str(tmp_path / "a.mp4"), PICTURES, 10)
    assert grays(tmp_path / "a.mp4", 10) == list(range(8))
    assert len(grays(tmp_path / "a.mp4", 5)) == 4
    turned = [ffmpeg.find_ffmpeg("a", "b"), "-v", "error", "-display_rotation", "90", "-i", "a.mp4", "-c", "copy"]
    subprocess.run([*turned, "turned.mp4"], cwd=tmp_path, check=True, timeout=60)
    height, width = next(list_frames(str(tmp_path / "a.mp4"), 10)).pixels.shape[:2]
    assert next(list_frames(str(tmp_path / "turned.mp4"), 10)).pixels.shape[:2] == (width, height)
