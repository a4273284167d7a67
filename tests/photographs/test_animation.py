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
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(InputError, match=r"dance\.mp4 needs ffmpeg: pip install 'tfwarpgan\[video\]', or write \.webp"):
        check_animation(str(tmp_path / "dance.mp4"))


def test_mp4_has_even_sides_and_all_frames(tmp_path, monkeypatch):
    """What ffmpeg is given, by a stand-in with the interface of imageio-ffmpeg."""
    sent, asked = [], {}

    def write_frames(path, size, **options):
        asked.update(size=size, **options)
        yield_value = None
        with open(path, "wb") as file:
            while True:
                try:
                    yield_value = yield
                except GeneratorExit:
                    file.write(b"mp4")
                    return
                sent.append(yield_value)

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", types.SimpleNamespace(write_frames=write_frames))
    save_animation(str(tmp_path / "dance.mp4"), PICTURES, 12)
    width, height = asked["size"]
    assert len(sent) == 7 and width % 2 == height % 2 == 0 and asked["fps"] == 12
    assert {len(frame) for frame in sent} == {3 * width * height}
    assert (tmp_path / "dance.mp4").read_bytes() == b"mp4"
