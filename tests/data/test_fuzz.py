"""Broken files of every kind: a reader gives its result or an `InputError`, and nothing else ever escapes."""

import functools
import io
import json
import pathlib
import warnings

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body import label_mappings
from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.joints import pose_gan, pose_json
from tfwarpgan.data.layouts import lip
from tfwarpgan.data.pairs import lists as pair_lists
from tfwarpgan.data.pairs import splits
from tfwarpgan.data.pairs.lists import read_pairs
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.pictures.archives import unpack_tar
from tfwarpgan.data.pictures.files import ImageFile, inside
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import strategies as st  # noqa: E402

SHARED = pathlib.Path(__file__).resolve().parents[2] / "../shared/data"
bounded = hypothesis.settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)  # fmt: skip

ROW = "a.jpg: " + str(list(range(18))) + ": " + str(list(range(18)))
ANNOTATION = ("name:keypoints_y:keypoints_x\n" + ROW + "\n").encode()
PAIRS = b"from,to\na.jpg,b.jpg\nb.jpg,a.jpg\n"
LIST = b"img/MEN/a.jpg,img/MEN/b.jpg,img/MEN/c.jpg\n"
NTED = b"1.5 2\n" * 18
JSONS = {
    "openpose": {"version": 1.3, "people": [{"pose_keypoints_2d": [1.5] * 54, "id": [-1]}]},
    "coco_17": {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "area": 2.5, "score": 1, "keypoints": [3] * 51}],
    },
    "mediapipe_33": {"a.jpg": {"pose_landmarks": [[{"x": 0.5, "y": 0.5, "visibility": 1.0}] * 33]}},
}


@st.composite
def damaged(draw, content):
    """Bytes with a few changed, cut out or put in."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(["set", "cut", "insert", "end"]))
        piece = draw(st.binary(min_size=1, max_size=6) | st.sampled_from(
            [b"\n", b":", b",", b"[", b"]", b"nan", b"-1", b"9" * 20, b"\xef\xbb\xbf", b"\0", b'"', b"../", b"1e999"]
        ))  # fmt: skip
        if kind == "set":
            data[place : place + len(piece)] = piece
        elif kind == "insert":
            data[place:place] = piece
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 40))]
        else:
            del data[place:]
    return bytes(data)


def values():
    """Any JSON."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400)
    keys = st.sampled_from(["people", "pose_keypoints", "images", "annotations", "image_id", "landmarks", "x", "a"])
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )


@st.composite
def replaced(draw, content):
    """JSON in which one value, anywhere, is another."""
    if isinstance(content, dict) and content and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(content)))
        return {**content, key: draw(replaced(content[key]))}
    if isinstance(content, list) and content and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(content) - 1))
        return [*content[:place], draw(replaced(content[place])), *content[place + 1 :]]
    return draw(values())


def survives(read):
    """Calls a reader; only the documented error may come."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except InputError as error:
        assert str(error) and "\n" not in str(error)


def survives_twice(read):
    """Stops at the first error, and reports all of them; the report is never shorter."""
    first, reported = None, []
    try:
        read()
    except InputError as error:
        first = error
    survives(lambda: read(on_error=reported.append))
    assert all(isinstance(error, InputError) for error in reported)
    assert first is not None or not reported


@bounded
@hypothesis.given(damaged(ANNOTATION))
def test_annotation_csv(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    survives_twice(lambda **k: pose_gan.read_annotation_csv(str(tmp_path / "a.csv"), **k))


@bounded
@hypothesis.given(damaged(PAIRS) | damaged(LIST), st.sampled_from(["header", "source_first", "target_first"]))
def test_pair_lists(tmp_path, content, order):
    (tmp_path / "a.csv").write_bytes(content)
    survives_twice(lambda **k: read_pairs(str(tmp_path / "a.csv"), **k))
    survives_twice(lambda **k: pair_lists.read(str(tmp_path / "a.csv"), order, **k))


@pytest.mark.parametrize("kind", JSONS)
@bounded
@hypothesis.given(st.data())
def test_json_of_joints(tmp_path, kind, data):
    content = data.draw(replaced(JSONS[kind]) | values())
    (tmp_path / "a.json").write_text(json.dumps(content))
    survives_twice(lambda **k: joint_files.read(str(tmp_path / "a.json"), kind, **k))
    survives(lambda: pose_json.read_openpose_json(str(tmp_path / "a.json")))


@pytest.mark.parametrize("kind", [*JSONS, "nted"])
@bounded
@hypothesis.given(st.data())
def test_damaged_files_of_joints(tmp_path, kind, data):
    content = data.draw(damaged(NTED if kind == "nted" else json.dumps(JSONS[kind]).encode()) | st.binary(max_size=40))
    (tmp_path / "a").write_bytes(content)
    survives_twice(lambda **k: joint_files.read(str(tmp_path / "a"), kind, **k))


def _picture(kind, mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 20, (24, 20, 3), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    if kind in ("JPEG", "WEBP", "PNG"):
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


PICTURES = {
    "jpeg": _picture("JPEG"), "png": _picture("PNG"), "palette": _picture("PNG", "P"), "gray": _picture("PNG", "L"),
    "webp": _picture("WEBP"), "avif": _picture("AVIF"), "bmp": _picture("BMP"), "gif": _picture("GIF"),
    "tiff": _picture("TIFF"), "ppm": _picture("PPM"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PICTURES)
@hypothesis.settings(bounded, max_examples=40)
@hypothesis.given(st.data())
def test_pictures(tmp_path, kind, data):
    path = str(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(data.draw(damaged(PICTURES[kind])))
    for read in (images.check_image, images.image_size, images.read_rgb, label_maps.read_label_map):
        survives(lambda read=read: read(path))
        survives(lambda read=read: read(ImageFile(path, (2, 2, 16, 20), (0,) * 9)))
    survives(lambda: images.framed_jpeg(path, Framing(32, 16)))


@bounded
@hypothesis.given(st.text(max_size=12) | st.binary(max_size=8).map(lambda raw: raw.decode("latin-1")))
def test_names_and_tables(tmp_path, text):
    survives(lambda: inside(str(tmp_path), text))
    survives(lambda: label_mappings.to_lip(text))
    for flag in ("keypoint_frame", "keypoint_crop", "picture_crop"):
        survives(lambda flag=flag: DataOptions(**{flag: text}))
    survives(lambda: splits.assign_persons({text}, 0.5, 0))


@bounded
@hypothesis.given(damaged(b"a\nb\nc/d\n"))
def test_the_id_lists_of_lip(tmp_path, content):
    for folder in ("TrainVal_images", "TrainVal_parsing_annotations"):
        for split in ("train", "val"):
            kind = "images" if folder == "TrainVal_images" else "segmentations"
            (tmp_path / folder / f"{split}_{kind}").mkdir(parents=True, exist_ok=True)
    (tmp_path / "train_id.txt").write_bytes(content)
    (tmp_path / "val_id.txt").write_bytes(b"x\n")
    survives_twice(lambda **k: lip.find_lip(str(tmp_path), **k))


def _tar():
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("d/a")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return stream.getvalue()[:1600]


@bounded
@hypothesis.given(damaged(_tar()))
def test_archives(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("archive")
    survives(lambda: unpack_tar(io.BytesIO(content), str(folder / "out")))
    assert {path.name for path in folder.iterdir()} <= {"out"}


def test_bad_inputs_by_every_reader():
    if not (SHARED / "bad_inputs").is_dir():
        pytest.skip(f"{SHARED / 'bad_inputs'} is not there")
    for path in map(str, (SHARED / "bad_inputs").rglob("*")):
        for read in (images.check_image, images.read_rgb, label_maps.read_label_map, pose_gan.read_annotation_csv,
                     read_pairs, pair_lists.read, pose_json.read_openpose_json):  # fmt: skip
            survives(functools.partial(read, path))
        for kind in joint_files.READERS:
            survives(functools.partial(joint_files.read, path, kind))
