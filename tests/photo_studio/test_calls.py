"""The calls: what the page gets is what the command writes; what is wrong is told in a sentence without flags."""

import base64
import dataclasses
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tfwarpgan import photo
from tfwarpgan.body.joints import NAMES
from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.joints.stature import Stature, write_stature
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.photo_studio import calls, loading
from tfwarpgan.photo_studio.gallery import gallery, joints_of, pose_of
from tfwarpgan.photo_studio.loading import expectation, open_studio
from tfwarpgan.photographs.options import DrawingOptions
from tfwarpgan.photographs.retargeting import torso

NECK = NAMES.index("neck")


def test_the_gallery_stands_as_the_people_of_the_training_do():
    stature, size = Stature(0.25, 0.5, 0.24, 0.14, 0.87), (256, 200)
    poses = gallery(stature, size)
    assert len(poses) >= 10
    joints, visible = next(iter(poses.values()))
    assert visible.all() and abs(joints[[10, 13], 0].max() + 0.5 - 0.87 * 256) < 0.01
    assert all(0.2 < torso(pose) / 256 < 0.35 for pose in poses.values())
    half = gallery(stature, (128, 100))
    assert all(np.allclose((half[name][0] + 0.5) * 2 - 0.5, poses[name][0], atol=1e-3)
               for name in poses if poses[name][1].all())  # fmt: skip


def test_joints_are_what_they_were():
    given = [[1.5, 2], None, *[[3, 4.25]] * 16]
    assert joints_of(pose_of(given)) == given


def test_the_page_draws_what_the_command_writes(someone, run_dir, tmp_path, opened):
    folder = shutil.copytree(run_dir, tmp_path / "run")
    write_stature(str(folder), Stature(0.25, 0.5, 0.24, 0.14, 0.87))
    options = run_options(str(folder))
    options = dataclasses.replace(options, train=dataclasses.replace(options.train, run_dir=str(folder)))
    studio = open_studio(options, DrawingOptions())
    assert studio.size == tuple(studio.facts()["size"]) == (64, 32)

    (tmp_path / "own.csv").write_text(
        f"name:keypoints_y:keypoints_x\n{annotation_row(someone.path.name, *someone.pose)}\n"
    )
    wanted = pose_of(studio.facts()["poses"][6]["joints"])
    numbers = [float(value) for (y, x), seen in zip(*wanted) for value in (x, y, float(seen))]
    (tmp_path / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}))
    photo.main(options, photo.PhotoOptions(
        image=str(someone.path), joints=str(tmp_path / "own.csv"), pose_json=str(tmp_path / "pose.json"),
        output=str(tmp_path / "result.png"), steps=str(tmp_path / "steps"), paste=True,
    ))  # fmt: skip

    given = {"image": someone.image, "joints": someone.joints}
    person = studio.crop(given)
    (pose,) = studio.fit({"poses": [joints_of(wanted)], "person": person["joints"]})["poses"]
    drawn = studio.drawn({**given, "pose": pose, "steps": True, "paste": True})
    files = {"crop": "2_crop", "labels": "3_labels", "warp": "5_warp", "parsing": "6_parsing", "result": "7_result"}
    pictures = {f"steps/{path}.png": drawn["steps"][name] for name, path in files.items()}
    for path, address in ({"result.png": drawn["pasted"]} | pictures).items():
        expected = np.asarray(Image.open(tmp_path / path)).astype(int)
        assert np.abs(np.asarray(opened(address)).astype(int) - expected).max() <= 1, path
    assert opened(drawn["picture"]).size == (32, 64) and list(drawn["steps"])[0] == "joints"


def test_the_released_weights_draw_a_person_as_she_stands(released, someone, opened):
    given = {"image": someone.image, "joints": someone.joints}
    person = released.crop(given)
    crop, drawn = (
        np.asarray(opened(address)).astype(float)
        for address in (person["crop"], released.drawn({**given, "pose": person["joints"]})["picture"])
    )
    assert crop.shape == drawn.shape == (128, 64, 3)
    others = np.abs(crop[:, ::-1] - crop[::-1]).mean()
    assert np.abs(drawn - crop).mean() < 0.15 * 127.5 < others
    assert person["notes"] == [] and "rendered people" in released.about


def test_an_animation_plays_in_a_loop(studio, gate, someone, opened):
    poses = [each["joints"] for each in studio.facts()["poses"]][:2]
    answer = studio.animation({"image": someone.image, "joints": someone.joints, "poses": poses, "frames": 10})
    movie = opened(answer["animation"])
    assert (answer["frames"], movie.n_frames, movie.size, movie.info["loop"]) == (10, 10, (32, 64), 0)
    gif = studio.animation({"image": someone.image, "joints": someone.joints, "poses": poses, "kind": ".gif"})
    assert opened(gif["animation"]).format == "GIF"


def test_joints_are_looked_for_in_a_box(studio, seeing, someone):
    seeing.boxes.clear()
    found = studio.find({"image": someone.image})
    assert found == {"joints": someone.joints, "others": False}
    seeing.boxes.clear()
    studio.find({"image": someone.image, "box": [1.4, 2, 30.6, 0.2]})
    assert seeing.boxes == [(1, 2, 31, 1)]


def test_others_are_told_of(studio, someone, monkeypatch):
    pair = (someone.pose, (someone.pose[0] + 90, someone.pose[1]))
    monkeypatch.setattr(calls, "largest", lambda estimator, pixels, name: pair)
    assert studio.find({"image": someone.image}) == {"joints": someone.joints, "others": True}


def test_who_has_no_legs_gets_a_note(studio, someone):
    joints = [None if "knee" in name or "ankle" in name else joint for name, joint in zip(NAMES, someone.joints)]
    assert "expect invented legs" in studio.crop({"image": someone.image, "joints": joints})["notes"][0]


def png(gray):
    stream = io.BytesIO()
    Image.new("RGB", (64, 128), (gray,) * 3).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


JOINT = [[5, 5]]


@pytest.mark.parametrize("name, changes, told", [
    ("find", {"image": png(100)}, "No person was found, 2 of 18 joints; move the joints onto the person"),
    ("find", {"image": None}, "The photograph is missing"),
    ("find", {"image": "%%%"}, "is not in base64"),
    ("find", {"image": "bm8="}, "The photograph cannot be read as an image"),
    ("find", {"box": [1, 2, 3]}, "box must be 4 numbers"),
    ("crop", {"joints": JOINT * 17}, "The pose on the photograph must be 18 joints"),
    ("crop", {"joints": [[float("nan"), 1]] * 18}, "must be 18 joints"),
    ("crop", {"joints": [[1e9, 1]] * 18}, "must be 18 joints"),
    ("crop", {"joints": [[True, 1]] * 18}, "must be 18 joints"),
    ("crop", {"joints": [None] * 18}, "has no visible joint"),
    ("crop", {"joints": [*JOINT, *[None] * 17]}, "neck and hips must be seen"),
    ("crop", {"joints": JOINT * 18}, "neck and hips lie in one place"),
    ("crop", {"sleeves": "red"}, "sleeves must be one of auto, long, short, none"),
    ("drawn", {"pose": None}, "The pose must be 18 joints"),
    ("drawn", {"pose": JOINT * 18, "steps": "yes"}, "steps must be one of"),
    ("fit", {"poses": [[*JOINT, *[None] * 17]], "person": JOINT * 18}, "too little of a body to be fitted"),
    ("fit", {"poses": [], "person": JOINT * 18}, "must be 1 to 64 poses"),
    ("animation", {"poses": [JOINT * 18], "frames": 97}, "frames must be one of 2, 3"),
    ("animation", {"poses": [JOINT * 18], "kind": ".mp4"}, r"kind must be one of \.webp, \.gif"),
])  # fmt: skip
def test_what_is_wrong_is_a_sentence_without_flags(studio, someone, name, changes, told):
    with pytest.raises(InputError, match=told) as error:
        getattr(studio, name)({"image": someone.image, "joints": someone.joints, **changes})
    assert "--" not in str(error.value)


def test_without_estimator_or_label_maps(studio, someone):
    bare = dataclasses.replace(studio, estimator=None, pastes=False)
    assert not bare.facts()["finds"] and not bare.facts()["pastes"]
    with pytest.raises(InputError, match="start the studio with --pose_estimator, or place them by hand"):
        bare.find({"image": someone.image})
    pose = bare.facts()["poses"][0]["joints"]
    with pytest.raises(InputError, match="pictures cannot be pasted"):
        bare.drawn({"image": someone.image, "joints": someone.joints, "pose": pose, "paste": True})


def test_a_human_parser_labels(studio, someone, opened):
    parsed = dataclasses.replace(studio, label=lambda image: np.full(image.shape[:2], 13, np.uint8))
    assert list(parsed.facts()["clothes"]) == ["sleeves", "legs"]
    pose = parsed.facts()["poses"][0]["joints"]
    call = {"image": someone.image, "joints": someone.joints, "pose": pose, "steps": True}
    labels = [opened(parsed.drawn({**call, **known})["steps"]["labels"]) for known in ({}, {"legs": "trousers"})]
    colors = [len(np.unique(np.asarray(each).reshape(-1, 3), axis=0)) for each in labels]
    assert colors[0] == 1 < colors[1]  # what the user knows of the clothes counts more than what the parser sees


def test_what_can_be_expected_is_told(small_options):
    options = small_options()
    told = expectation(dataclasses.replace(options, data=dataclasses.replace(options.data, dataset="market1501")))
    assert "market1501, 32 x 64 pixels" in told


def test_the_page_opens_where_movenet_cannot_be_fetched(monkeypatch, capsys):
    def refuse(folder, min_score):
        raise InputError("MoveNet cannot be fetched.")

    monkeypatch.setattr(loading, "load_estimator", refuse)
    monkeypatch.setattr(loading.movenet, "is_at_hand", lambda: True)
    assert loading.find_estimator(DrawingOptions()) is None
    assert "note: MoveNet cannot be fetched." in capsys.readouterr().err
    with pytest.raises(InputError, match="cannot be fetched"):
        loading.find_estimator(DrawingOptions(pose_estimator="mine"))
    monkeypatch.setattr(loading.movenet, "is_at_hand", lambda: False)
    assert loading.find_estimator(DrawingOptions()) is None and not capsys.readouterr().err
