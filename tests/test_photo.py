"""The command: from photographs to a picture, and one sentence for each thing that is wrong."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tfwarpgan import photo
from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.joints.stature import Stature, write_stature
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.options import NetworkOptions, Options
from tfwarpgan.photo import PhotoOptions
from tfwarpgan.photographs import estimator
from tfwarpgan.serving.remote import ServerOptions

JOINTS = np.array([
    (16, 32), (28, 32), (28, 24), (42, 22), (56, 20), (28, 40), (42, 42), (56, 44), (60, 28), (85, 27), (110, 26),
    (60, 36), (85, 37), (110, 38), (14, 30), (14, 34), (15, 27), (15, 37),
], float) * 2 + (20, 60)  # fmt: skip
LEGS = [9, 10, 12, 13]
PLACES = ("image", "output", "pose_from", "pose_json", "annotation", "poses", "joints", "parsing", "steps")


class Looking:
    """In place of the network: finds the joints of the gray value of the picture's corner; 0: nobody."""

    boxes: list = []

    def pose(self, pixels, name, box=None):
        self.boxes.append(box)
        kind = pixels[0, 0, 0]
        if kind < 8:
            raise estimator.NoPerson(f"{name}: no person was found on it, 2 of 18 joints; give a picture.", 2)
        scale = min(pixels.shape[:2]) / 250
        return (JOINTS * scale).astype(np.float32), ~np.isin(np.arange(18), LEGS if kind > 200 else [])


@pytest.fixture(autouse=True)
def looking(monkeypatch):
    Looking.boxes = []
    monkeypatch.setattr(estimator, "load_estimator", lambda folder, min_score: Looking())


@pytest.fixture(scope="session")
def photograph_run(run_dir, tmp_path_factory):
    """A run that says where the people of its training stand."""
    folder = shutil.copytree(run_dir, tmp_path_factory.mktemp("photo") / "run")
    write_stature(str(folder), Stature(0.25, 0.5, 0.24, 0.14, 0.87))
    options = run_options(str(folder))
    return dataclasses.replace(options, train=dataclasses.replace(options.train, run_dir=str(folder)))


@pytest.fixture
def folder(tmp_path):
    for name, gray in (("me.jpg", 100), ("dancer.png", 150), ("half.jpg", 250), ("wall.jpg", 0)):
        Image.new("RGB", (300, 400), (gray,) * 3).save(tmp_path / name)
    numbers = [float(value) for y, x in JOINTS for value in (x, y, 1)]
    (tmp_path / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}))
    rows = ["name:keypoints_y:keypoints_x", annotation_row("me.jpg", JOINTS, np.ones(18, bool))]
    (tmp_path / "joints.csv").write_text("\n".join(rows))
    return tmp_path


def job(folder, **flags):
    names = {"image": "me.jpg", "output": "out/result.png"} | flags
    return PhotoOptions(
        **{key: str(folder / value) if value and key in PLACES else value for key, value in names.items()}
    )


@pytest.mark.parametrize("flags", [
    {"pose_from": "dancer.png"},
    {"pose_json": "pose.json", "joints": "joints.csv"},
    {"pose_name": "me.jpg", "annotation": "joints.csv"},
    {"pose_json": "pose.json", "fit_pose": "none", "pose_from": "", "joints": "pose.json"},
])  # fmt: skip
def test_one_picture(folder, photograph_run, capsys, flags):
    if flags.get("fit_pose") == "none":
        content = json.loads((folder / "pose.json").read_text()) | {"canvas_width": 300, "canvas_height": 400}
        (folder / "pose.json").write_text(json.dumps(content))
    photo.main(photograph_run, job(folder, **flags))
    with Image.open(folder / "out" / "result.png") as picture:
        assert picture.size == (32, 64)
    assert os.listdir(folder / "out") == ["result.png"]
    assert "note: labels are drawn from the joints" in capsys.readouterr().err


def test_steps_and_paste(folder, photograph_run, capsys):
    photo.main(photograph_run, job(folder, image="half.jpg", pose_from="dancer.png", paste=True, steps="steps"))
    with Image.open(folder / "out" / "result.png") as picture:
        assert picture.size == (300, 400)
    assert sorted(os.listdir(folder / "steps")) == [
        "1_joints.png", "2_crop.png", "3_labels.png", "4_pose.png", "5_warp.png", "6_parsing.png", "7_result.png",
    ]  # fmt: skip
    assert "knees and feet are not on the photograph; expect invented legs" in capsys.readouterr().err


def test_a_label_map_is_cropped_with_its_photograph(folder, photograph_run, capsys):
    labels = np.full((400, 300), 5, np.uint8)
    Image.fromarray(labels).save(folder / "labels.png")
    options = job(folder, pose_from="dancer.png", parsing="labels.png")
    person = photo.read_person(photograph_run, options, Looking)
    assert set(np.unique(person.labels)) == {5} and capsys.readouterr().err == ""
    Image.fromarray(labels[:200]).save(folder / "labels.png")
    with pytest.raises(InputError, match=r"labels\.png is 300 x 200 pixels, but its image is 300 x 400"):
        photo.read_person(photograph_run, options, Looking)


def test_a_row_has_the_persons_own_pose_too(folder, photograph_run):
    person = photo.read_person(photograph_run, job(folder, pose_from="dancer.png"), Looking)
    joints, visible = person.model_pose
    row = person.row((joints[::-1], visible))
    inside = visible & np.all((joints >= -0.5) & (joints <= (63.5, 31.5)), axis=1)
    np.testing.assert_array_equal(row["condition_visible"], inside)
    np.testing.assert_array_equal(row["condition_keypoints"][inside], joints[inside])


def test_a_box_counts_the_pixels_of_the_file(folder, photograph_run):
    Image.new("RGB", (6000, 8000), (100,) * 3).save(folder / "large.jpg", quality=50)
    options = job(folder, image="large.jpg", pose_from="dancer.png", box="1000,2000,3000,4000")
    person = photo.read_person(photograph_run, options, Looking)
    assert person.pixels.shape[:2] == (2000, 1500) and Looking.boxes == [(250, 500, 750, 1000)]


def test_a_pose_without_legs_gets_those_of_the_person(folder, photograph_run, capsys):
    job_ = job(folder, pose_from="half.jpg")
    person = photo.read_person(photograph_run, job_, Looking)
    capsys.readouterr()
    ((joints, visible),) = photo.read_targets(photograph_run, job_, person, Looking)
    assert "half.jpg: the pose shows no knees and feet; those of the photograph take their place" in (
        capsys.readouterr().err
    )
    np.testing.assert_allclose(joints[LEGS], person.model_pose[0][LEGS])
    assert visible.all()
    photo.read_targets(photograph_run, job(folder, pose_from="dancer.png"), person, Looking)
    assert capsys.readouterr().err == ""


def test_networks_get_what_they_see(folder, photograph_run):
    """The person's own pose too, cut off by the edge of the crop as every pose is."""
    person = photo.read_person(photograph_run, job(folder, pose_from="dancer.png"), Looking)
    row = person.row(person.model_pose)
    assert {*pipeline_inputs("bodyroi7"), *pipeline_inputs("warpgan")} == {*row}
    np.testing.assert_array_equal(row["condition_keypoints"], row["target_keypoints"])
    assert row["condition_visible"].all() and row["condition_keypoints"].dtype == np.float32


def pipeline_inputs(model):
    return NetworkOptions(model=model).inputs


def test_an_animation_gives_the_poses_of_another_one(folder, photograph_run, capsys):
    first, *others = (Image.new("RGB", (300, 400), (gray,) * 3) for gray in (100, 150, 120))
    first.save(folder / "dancer.webp", save_all=True, append_images=others, duration=250, lossless=True)
    photo.main(photograph_run, job(folder, poses="dancer.webp", output="dance.webp", frames_per_second=8.0))
    assert "6 frames: " in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_a_sequence(folder, photograph_run, capsys, suffix):
    (folder / "poses").mkdir()
    for number in range(10):
        name = "wall.jpg" if number == 4 else "dancer.png"
        shutil.copy(folder / name, folder / "poses" / f"{number}{name[-4:]}")
    photo.main(photograph_run, job(folder, poses="poses", output=f"dance{suffix}", frames_per_second=8.0))
    with Image.open(folder / f"dance{suffix}") as dance:
        assert dance.size == (32, 64)
    told = capsys.readouterr()
    assert "10 frames: " in told.out and "1 of 10 frames show no person" in told.err


def test_a_photograph_lies_as_it_is_looked_at(folder, photograph_run):
    """Turned by its EXIF, the person is the same."""
    pixels = np.random.default_rng(0).integers(90, 110, (400, 300, 3), np.uint8)
    upright = Image.fromarray(pixels)
    upright.save(folder / "own.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", exif=exif)
    persons = [
        photo.read_person(photograph_run, job(folder, image=name, pose_from="dancer.png"), Looking)
        for name in ("own.png", "turned.png")
    ]
    np.testing.assert_array_equal(persons[0].image, persons[1].image)


@pytest.mark.parametrize("mode, name", [("L", "me.gif"), ("RGBA", "me.png"), ("P", "me.gif"), ("L", "me.jpg")])
def test_pictures_of_other_kinds(folder, photograph_run, mode, name):
    Image.new("RGB", (300, 400), (100,) * 3).convert(mode).save(folder / name)
    person = photo.read_person(photograph_run, job(folder, image=name, pose_from="dancer.png"), Looking)
    assert person.image.shape == (64, 32, 3) and np.abs(person.image.astype(int) - 100).max() < 4


@pytest.mark.parametrize("flags, told", [
    ({}, "Give exactly one of --pose_from, --pose_json, --pose_name and --poses; 0 are given"),
    ({"pose_name": "you.jpg", "annotation": "joints.csv"}, r"joints\.csv has no row for you\.jpg"),
    ({"pose_from": "dancer.png", "pose_json": "pose.json"}, "2 are given"),
    ({"pose_from": "dancer.png", "output": "a.jpg"}, r"must end in \.png"),
    ({"poses": "poses", "output": "a.avi"}, r"must end in \.webp or \.gif or \.png or \.mp4"),
    ({"poses": "poses"}, "is no folder; give one of photographs"),
    ({"pose_from": "dancer.png", "image": "nobody.jpg"}, r"nobody\.jpg is missing"),
    ({"pose_from": "dancer.png", "image": "wall.jpg"}, r"wall\.jpg: no person was found on it, 2 of 18 joints; .*, or "
     r"--box=X,Y,WIDTH,HEIGHT around the person\.$"),
    ({"pose_from": "dancer.png", "image": "wall.jpg", "box": "0,0,99,99"}, r"wall\.jpg: no person was found in "
     r"--box=0,0,99,99, 2 of 18 joints; give X,Y,WIDTH,HEIGHT around the whole person"),
    ({"pose_from": "dancer.png", "box": "300,0,9,9"}, r"--box=300,0,9,9 lies outside of \S*me\.jpg, which is 300 x 400 "
     "pixels"),
    ({"pose_from": "wall.jpg"}, r"wall\.jpg: no person was found on it, 2 of 18 joints; give a picture\.$"),
    ({"pose_from": "dancer.png", "joints": "joints.csv", "image": "half.jpg"}, r"has no row for half\.jpg"),
    ({"pose_from": "dancer.png", "image": "pose.json"}, r"pose\.json cannot be read as an image"),
    ({"pose_from": "dancer.png", "image": ""}, "--image is missing"),
])  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_written(folder, photograph_run, flags, told):
    with pytest.raises(InputError, match=told):
        photo.main(photograph_run, job(folder, **flags))
    assert not (folder / "out").exists()


@pytest.mark.parametrize("flags, told", [
    ({"pose_name": "a.jpg"}, "--pose_name and --annotation go together"),
    ({"box": "1,2,3"}, "--box=1,2,3 must be X,Y,WIDTH,HEIGHT"),
    ({"box": "1,2,0,4"}, "must be X,Y,WIDTH,HEIGHT"),
    ({"box": "1,2,3,4", "joints": "a.csv"}, "either --box or --joints"),
    ({"parsing": "a.png", "human_parser_run_dir": "run"}, "either --parsing or --human_parser_run_dir"),
    ({"parsing": "a.png", "sleeves": "long"}, "--sleeves and --legs are of labels that are drawn"),
])  # fmt: skip
def test_flags_that_do_not_go_together(flags, told):
    with pytest.raises(InputError, match=told):
        PhotoOptions(**flags)


class Elsewhere:
    """In place of a server: gives back the mirrored picture; knows the sizes of its batches."""

    height, width, batch_size = 64, 32, 3

    def __init__(self):
        self.batches = []

    def draw(self, batch):
        self.batches.append(len(batch["condition_image"]))
        return batch["condition_image"][:, :, ::-1]


def test_a_server_draws(folder, photograph_run, capsys, monkeypatch):
    elsewhere = Elsewhere()
    monkeypatch.setattr(ServerOptions, "connect", lambda self: elsewhere)
    flags = job(folder, pose_from="dancer.png", joints="joints.csv", steps="steps")
    photo.main(photograph_run, flags, ServerOptions(server="elsewhere:1"))
    result, crop = (
        np.asarray(Image.open(path)) for path in (folder / "out" / "result.png", folder / "steps" / "2_crop.png")
    )
    np.testing.assert_array_equal(result[:, ::-1], crop[::4, ::4])
    assert sorted(os.listdir(folder / "steps"))[-2:] == ["4_pose.png", "7_result.png"]
    (folder / "poses").mkdir()
    for number in range(7):
        shutil.copy(folder / "pose.json", folder / "poses" / f"{number}.json")
    photo.main(photograph_run, job(folder, poses="poses", output="a.webp"), ServerOptions(server="elsewhere:1"))
    assert elsewhere.batches == [1, 3, 3, 1]
    with pytest.raises(InputError, match="--paste needs networks of this machine"):
        photo.main(photograph_run, job(folder, pose_from="dancer.png", paste=True), ServerOptions(server="elsewhere:1"))
    elsewhere.height = 128
    with pytest.raises(InputError, match="draws pictures of 32 x 128 pixels.* have 32 x 64; name those that it serves"):
        photo.main(photograph_run, flags, ServerOptions(server="elsewhere:1"))
    with pytest.raises(InputError, match="--server needs --weights or --run_dir too"):
        photo.main(Options(), flags, ServerOptions(server="elsewhere:1"))


def test_networks_and_their_stature_are_needed(folder, run_dir):
    with pytest.raises(InputError, match="No networks are given"):
        photo.main(Options(), job(folder, pose_from="dancer.png"))
    options = run_options(str(run_dir))
    options = dataclasses.replace(options, train=dataclasses.replace(options.train, run_dir=str(run_dir)))
    with pytest.raises(InputError, match=r"has no stature\.json, which says how people stand"):
        photo.main(options, job(folder, pose_from="dancer.png"))
