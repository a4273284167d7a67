"""The command: the ways to name a pose, and one sentence for each thing that is wrong."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan import synthesize
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options import DataOptions, NetworkOptions, Options, TrainOptions
from tfwarpgan.serving.remote import ServerOptions
from tfwarpgan.synthesize import SynthesizeOptions

BAD = pathlib.Path(__file__).resolve().parents[1] / "../shared/data/bad_inputs"
HEIGHT, WIDTH = 64, 32


def options(**data):
    return Options(
        data=DataOptions(height=HEIGHT, width=WIDTH, batch_size=2, **data), train=TrainOptions(run_dir="run")
    )


@pytest.fixture
def folder(tmp_path):
    """Three pictures twice as large as the model's, of one color each, label maps, annotations and pairs."""
    rows = ["name:keypoints_y:keypoints_x"]
    for index, name in enumerate(("a", "b", "c")):
        Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), (50 * index + 50,) * 3).save(tmp_path / f"{name}.png")
        (tmp_path / "labels").mkdir(exist_ok=True)
        Image.new("L", (2 * WIDTH, 2 * HEIGHT), 5 + index).save(tmp_path / "labels" / f"{name}.png")
        rows.append(f"{name}.png: {[10 * index + 20] * 18}: {list(range(30, 12, -1))}")
    (tmp_path / "poses.csv").write_text("\n".join(rows))
    (tmp_path / "pairs.csv").write_text("from,to\na.png,b.png\nb.png,a.png\na.png,c.png\n")
    joints = {
        "people": [{"pose_keypoints_2d": [value for joint in range(18) for value in (30.0 - joint / 2, 40.0, 0.9)]}]
    }
    (tmp_path / "pose.json").write_text(json.dumps(joints))
    return tmp_path


class Pipeline:
    """Paints the picture in the condition's color, with the first joint's y as red and the label as blue."""

    height, width, inputs = HEIGHT, WIDTH, NetworkOptions().inputs

    def __call__(self, batch):
        shape = tf.shape(batch["condition_image"])[:3]
        y = batch["target_keypoints"][:, 0, 0][:, None, None]
        label = tf.cast(batch["condition_parsing"][:, 0, 0], tf.float32)[:, None, None]
        ones = tf.ones(shape)
        red, blue = (ones * value / 127.5 - 1 for value in (y, label))
        return {"image": tf.stack([red, batch["condition_image"][..., 1], blue], axis=-1)}


@pytest.fixture(autouse=True)
def fake_pipeline(monkeypatch):
    monkeypatch.setattr(
        "tfwarpgan.inference.loading.load_pipeline", lambda options, weights="", for_new_images=False: Pipeline()
    )


def single(folder, **flags):
    names = {"image": folder / "a.png", "output": folder / "out" / "o.png", "parsing": folder / "labels" / "a.png"}
    return SynthesizeOptions(**{key: str(value) for key, value in {**names, **flags}.items()})


def pixel(path):
    picture = np.asarray(Image.open(path))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    return picture[0, 0].tolist()


@pytest.mark.parametrize(
    "flags, y",
    [
        ({"pose_json": "pose.json"}, 20),  # 40 of 128 is (40 + .5) / 2 - .5 = 19.75 of 64
        ({"pose_json": "pose.json", "pose_size": "64x32"}, 40),
        ({"pose_json": "pose.json", "pose_size": "160x80"}, 16),  # 40.5 * .4 - .5 = 15.7
        ({"annotation": "poses.csv", "pose_name": "c.png"}, 20),
        ({"annotation": "poses.csv", "pose_image": "b.png"}, 15),  # 30.5 / 2 - .5 = 14.75
    ],
)
def test_one_picture(folder, flags, y):
    flags = {
        key: folder / value if (folder / value).exists() and key != "pose_name" else value
        for key, value in flags.items()
    }
    job = single(folder, **flags)
    synthesize.main(options(), job)
    assert pixel(job.output) == [y, 50, 5]
    assert os.listdir(folder / "out") == ["o.png"]


def test_a_bare_pose_image_is_found_beside_the_image(folder):
    job = single(folder, annotation=folder / "poses.csv", pose_image="b.png")
    Image.new("RGB", (40, 80)).save(folder / "b.png")  # its frame: 80 x 40
    synthesize.main(options(), job)
    assert pixel(job.output)[0] == 24  # 30.5 * .8 - .5 = 23.9


def pairs_job(folder, **flags):
    names = {"pairs": "pairs.csv", "image_dir": "", "annotation": "poses.csv", "output_dir": "out"}
    return SynthesizeOptions(**{**{key: str(folder / value) for key, value in names.items()}, **flags})


def test_pairs_in_batches(folder):
    synthesize.main(options(parsing_dir=str(folder / "labels")), pairs_job(folder))
    names = sorted(os.listdir(folder / "out"))
    assert names == ["a_2_b.png", "a_2_c.png", "b_2_a.png"]
    assert [pixel(folder / "out" / name) for name in names] == [[15, 50, 5], [20, 50, 5], [10, 100, 6]]


def test_pairs_are_checked_before_anything_is_drawn(folder):
    data = options(parsing_dir=str(folder / "labels"))
    (folder / "pairs.csv").write_text("from,to\na.png,b.png\na.png,d.png\n")
    with pytest.raises(InputError, match=r"pairs\.csv, row 2: d\.png has no row in .*poses\.csv"):
        synthesize.main(data, pairs_job(folder))
    (folder / "pairs.csv").write_text("to,from\na.png,b.png\na.png,d.png\n")
    with pytest.raises(InputError, match=r"pairs\.csv, row 2: .*d\.png does not exist"):
        synthesize.main(data, pairs_job(folder))
    (folder / "pairs.csv").write_text("from,to\na.png,b.png\n")
    (folder / "labels" / "a.png").unlink()
    for name in ("../a.png", str(folder / "a.png")):
        (folder / "away.csv").write_text(f"from,to\n{name},b.png\n")
        with pytest.raises(InputError, match=r"away\.csv, row 1: .* points outside of"):
            synthesize.main(data, pairs_job(folder, pairs=str(folder / "away.csv")))
    with pytest.raises(InputError, match=r"pairs\.csv, row 1: .*labels/a\.png does not exist"):
        synthesize.main(data, pairs_job(folder))
    assert not (folder / "out").exists()


def test_the_human_parser_of_another_run(folder, monkeypatch):
    run = folder / "parser_run"
    run.mkdir()
    (run / "options.flags").write_text(to_flagfile(Options(data=DataOptions(height=48, width=32, batch_size=1))))
    seen = []

    def load_human_parser(run_options, size):
        seen.append((run_options.data.height, run_options.train.run_dir, size))
        return lambda images: tf.one_hot(tf.fill(tf.shape(images)[:3], 7), 20)

    monkeypatch.setattr("tfwarpgan.inference.loading.load_human_parser", load_human_parser)
    job = single(folder, parsing="", human_parser_run_dir=run, pose_json=folder / "pose.json")
    synthesize.main(options(), job)
    assert pixel(job.output) == [20, 50, 7] and seen == [(48, str(run), (HEIGHT, WIDTH))]
    synthesize.main(options(), pairs_job(folder, human_parser_run_dir=str(run)))
    assert pixel(folder / "out" / "b_2_a.png") == [10, 100, 7]


def test_a_folder_of_pictures_in_one_pose(folder):
    pictures = folder / "pictures"
    (pictures / "deep").mkdir(parents=True)
    (folder / "labels/deep").mkdir()
    for name, place in (("a.png", ""), ("b.png", "deep/")):
        (folder / name).rename(pictures / place / name)
        (folder / "labels" / name).rename(folder / "labels" / place / name)
    job = SynthesizeOptions(
        image_dir=str(pictures), output_dir=str(folder / "out"), pose_json=str(folder / "pose.json")
    )
    synthesize.main(options(parsing_dir=str(folder / "labels")), job)
    assert pixel(folder / "out/a.png") == [20, 50, 5] and pixel(folder / "out/deep/b.png") == [20, 100, 6]


def test_label_maps_inside_the_folder_are_no_pictures(folder):
    (folder / "pictures").mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).rename(folder / "pictures" / name)
    (folder / "labels").rename(folder / "pictures/parsing")
    flags = {"image_dir": str(folder / "pictures"), "pose_json": str(folder / "pose.json")}
    job = SynthesizeOptions(output_dir=str(folder / "pictures/out"), **flags)
    for _ in range(2):  # nor are those drawn before
        synthesize.main(options(parsing_dir=str(folder / "pictures/parsing")), job)
        assert sorted(os.listdir(job.output_dir)) == ["a.png", "b.png"]
    job = SynthesizeOptions(output_dir=str(folder / "pictures"), **flags)
    with pytest.raises(InputError, match="--output_dir=.*/pictures must name a folder other than --image_dir"):
        synthesize.main(options(parsing_dir=str(folder / "pictures/parsing")), job)


def test_a_folder_with_a_broken_picture_draws_the_others(folder):
    (folder / "pictures").mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).rename(folder / "pictures" / name)
    (folder / "pictures/b.png").write_bytes(b"no picture")
    job = SynthesizeOptions(
        image_dir=str(folder / "pictures"), output_dir=str(folder / "out"), pose_json=str(folder / "pose.json")
    )
    with pytest.raises(InputError, match=r"b\.png .*\(failed: 1, written: 1\)"):
        synthesize.main(options(parsing_dir=str(folder / "labels")), job)
    assert os.listdir(folder / "out") == ["a.png"]


def test_pairs_find_deepfashions_pictures_by_either_spelling(folder):
    for place in ("img/WOMEN/Tees_Tanks/id_1", "labels/WOMEN/Tees_Tanks/id_1"):
        (folder / place).mkdir(parents=True)
    (folder / "a.png").rename(folder / "img/WOMEN/Tees_Tanks/id_1/02_3_back.png")
    (folder / "b.png").rename(folder / "img/WOMEN/Tees_Tanks/id_1/02_1_front.png")
    (folder / "labels/a.png").rename(folder / "labels/WOMEN/Tees_Tanks/id_1/02_3_back.png")
    back, front = "fasionWOMENTeesTanksid102_3back.png", "fashionWOMENTees_Tanksid102_1front.png"
    (folder / "pairs.csv").write_text(f"from,to\n{back},{front}\n")
    (folder / "poses.csv").write_text(
        f"name:keypoints_y:keypoints_x\n{front}: {[30] * 18}: {list(range(30, 12, -1))}\n"
    )
    synthesize.main(options(parsing_dir=str(folder / "labels")), pairs_job(folder, image_dir=str(folder / "img")))
    assert [pixel(folder / "out" / name) for name in os.listdir(folder / "out")] == [[15, 50, 5]]


@pytest.mark.parametrize(
    "flags, sentence",
    [
        ({"image_dir": "d", "image": "a.png"}, "either --image or --image_dir, not both"),
        ({"image_dir": "d", "parsing": "p.png"}, "either --parsing or --image_dir, not both"),
        ({"pairs": "p.csv", "pose_json": "j"}, "either --pose_json or --pairs, not both"),
        ({"image": "a", "output_dir": "o"}, "either --output_dir or --image, not both"),
        ({"image_dir": "d"}, "--image_dir needs --output_dir too"),
        ({"image_dir": "d", "output_dir": "o"}, "exactly one target pose.* 0 are given"),
        ({"pairs": "p.csv"}, "--pairs needs --image_dir too"),
        ({"pairs": "p.csv", "image": "a.png"}, "either --image or --pairs, not both"),
        ({"image": "a.png"}, "--image needs --output too"),
        ({"output": "a.png"}, "--output needs --image too"),
        ({"image": "a.png", "output": "o.png"}, "exactly one target pose.* 0 are given"),
        ({"image": "a", "output": "o", "pose_json": "j", "pose_name": "n"}, "exactly one target pose.* 2 are given"),
        ({"image": "a", "output": "o", "pose_name": "n"}, "--pose_name needs --annotation too"),
        ({"pose_size": "128"}, "--pose_size=128 must be HEIGHTxWIDTH"),
        ({"pose_size": "0x64"}, "--pose_size=0x64 must be"),
    ],
)
def test_impossible_combinations(flags, sentence):
    with pytest.raises(InputError, match=sentence):
        SynthesizeOptions(**flags)


@pytest.mark.parametrize("given", ["run_dir", "weights", "human_parser_run_dir"])
def test_a_server_draws_with_what_it_holds(folder, given):
    run = options() if given == "run_dir" else Options()
    job = single(folder, pose_json=folder / "pose.json", **({} if given == "run_dir" else {given: "x"}))
    with pytest.raises(InputError, match=f"either --server or --{given}, not both"):
        synthesize.main(run, job, ServerOptions(server="localhost:1"))


def test_what_is_missing_is_said(folder):
    job = single(folder, pose_json=folder / "pose.json")
    with pytest.raises(InputError, match="No networks are given"):
        synthesize.main(Options(), job)
    with pytest.raises(InputError, match="no label map for the image: give its label map with --parsing, or a tr"):
        synthesize.main(options(), single(folder, pose_json=folder / "pose.json", parsing=""))
    with pytest.raises(InputError, match="no label map for the image: give the folder of the label maps with --pa"):
        synthesize.main(options(), pairs_job(folder))
    with pytest.raises(InputError, match="Nothing to synthesize"):
        synthesize.main(options(), SynthesizeOptions())
    with pytest.raises(InputError, match=r"poses\.csv has no row for x\.png; name one of its 3 images"):
        synthesize.main(options(), single(folder, annotation=folder / "poses.csv", pose_name="x.png"))
    with pytest.raises(InputError, match="contains no run"):
        synthesize.main(
            options(), single(folder, parsing="", human_parser_run_dir=folder, pose_json=folder / "pose.json")
        )
    assert not (folder / "out").exists()


BROKEN = [
    ({"image": "images/truncated.jpg"}, "truncated.jpg"),
    ({"image": "images/empty.jpg"}, "empty.jpg"),
    ({"image": "images/missing.jpg"}, "missing.jpg"),
    ({"image": "images/bomb_12000x12000.png"}, "bomb_12000x12000.png"),
    ({"parsing": "parsing/wrong_size.png"}, "wrong_size.png"),
    ({"parsing": "parsing/rgb_colours.png"}, "rgb_colours.png"),
    ({"parsing": "parsing/label_255.png"}, "label_255.png"),
    ({"pose_json": "pose/no_people.json", "pose_name": ""}, "no_people.json"),
    ({"annotation": "keypoints/joints_17.csv"}, "joints_17.csv"),
    ({"annotation": "keypoints/all_missing.csv"}, "all_missing.csv"),
]
GOOD = {
    "image": "good/0001_c1s1_000001_01.jpg",
    "parsing": "good/0001_c1s1_000001_01.png",
    "annotation": "good/annotation.csv",
    "pose_name": "0001_c2s1_000051_01.jpg",
}


def shared_job(tmp_path, **flags):
    if not BAD.exists():
        pytest.skip("the shared bad inputs are not there")
    flags = {**GOOD, **flags, "output": str(tmp_path / "o.png")}
    return SynthesizeOptions(
        **{
            key: value if not value or key in ("pose_name", "output") else str(BAD / value)
            for key, value in flags.items()
        }
    )


@pytest.mark.parametrize("flags, named", BROKEN)
def test_broken_files_are_named_in_one_sentence(tmp_path, flags, named):
    with pytest.raises(InputError, match=named) as error:
        synthesize.main(options(), shared_job(tmp_path, **flags))
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"pose_json": "pose/body_25.json", "pose_name": ""},
        {"annotation": "keypoints/bom_crlf.csv"},
        {"image": "images/gray.jpg"},
        {"image": "images/exif_rotated.jpg"},
        {"image": "images/png_named.jpg"},
        {"image": "images/rgba.png"},
    ],
)
def test_unusual_files_are_read(tmp_path, flags):
    job = shared_job(tmp_path, **flags)
    synthesize.main(options(), job)
    assert Image.open(job.output).size == (WIDTH, HEIGHT)


def test_the_command_ends_with_one_sentence(tmp_path):
    command = [sys.executable, "-m", "tfwarpgan.synthesize", "--image=a.png", f"--output={tmp_path}/o.png"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=pathlib.Path(__file__).parents[1])
    assert result.returncode == 2
    assert result.stderr.startswith("error: Give exactly one target pose") and result.stderr.count("\n") == 1
