"""Files that play: as many frames as there are, in time, in a loop, of their size."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.photographs.animation import check_animation, save_animation

PICTURES = [np.full((33, 17, 3), 20 * number, np.uint8) for number in range(7)]


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".png"])
def test_it_plays_in_a_loop(tmp_path, suffix):
    path = str(tmp_path / f"dance{suffix}")
    check_animation(path)
    save_animation(path, PICTURES, 10)
    with Image.open(path) as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (7, (17, 33), 0)
        for number, picture in enumerate(PICTURES):
            image.seek(number)
            image.load()
            assert image.info["duration"] == pytest.approx(100, abs=1)
            assert np.abs(np.asarray(image.convert("RGB")).astype(int) - picture).max() <= 3
    assert [file.name for file in tmp_path.iterdir()] == [f"dance{suffix}"]


def test_frames_that_are_alike_stay_frames(tmp_path):
    save_animation(str(tmp_path / "still.webp"), [PICTURES[1]] * 3, 5)
    with Image.open(tmp_path / "still.webp") as image:
        assert image.n_frames >= 1


def test_without_ffmpeg_mp4_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"dance\.mp4 needs ffmpeg: .* 'tfwarpgan\[video\]', .* or write \.webp"):
        check_animation(str(tmp_path / "dance.mp4"))


def test_mp4_has_even_sides_and_all_frames(tmp_path, monkeypatch):
    """What ffmpeg is given, by a stand-in that the extra brings: it copies what it reads."""
    program = tmp_path / "ffmpeg-of-the-extra"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'wb').write(sys.stdin.buffer.read())\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    stand_in = types.SimpleNamespace(get_ffmpeg_exe=lambda: str(program))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", stand_in)
    check_animation(str(tmp_path / "dance.mp4"))
    save_animation(str(tmp_path / "dance.mp4"), PICTURES, 12)
    content = np.frombuffer((tmp_path / "dance.mp4").read_bytes(), np.uint8)
    frames = content.reshape(7, 8 * 33, 8 * 17, 3)  # enlarged, both sides even
    np.testing.assert_array_equal(frames.mean(axis=(1, 2, 3)), [20 * number for number in range(7)])
