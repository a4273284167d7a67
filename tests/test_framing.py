"""One framing everywhere: a picture gives the same row in training, in `synthesize` and at a client of an export."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan import synthesize
from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.layouts.opening import open_layout
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.records import preparation
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference import requests
from tfwarpgan.inference.synthesizer import Synthesizer
from tfwarpgan.options import DataOptions, Options
from tfwarpgan.synthesize import SynthesizeOptions

CROP = "40,0,176,256"
# Names of two images of each of two persons; --dataset; the annotation CSVs and pair lists, by split.
MARKET = [[f"bounding_box_{split}/{person}_c1s1_00000{at}_01.jpg" for at in (1, 2)]
          for person, split in (("0001", "train"), ("0002", "test"))]  # fmt: skip
FASHION = [[f"img/WOMEN/Dresses/id_{person}/01_{at}_{view}.jpg" for at, view in ((1, "front"), (2, "back"))]
           for person in ("00000001", "00000002")]  # fmt: skip
FOLDER = [[f"{person}/{at}.jpg" for at in (1, 2)] for person in ("anna", "ben")]
LAYOUTS = {
    "market1501": (MARKET, "market-annotation-{}.csv", "market-pairs-{}.csv", "parsing"),
    "deepfashion": (FASHION, "fasion-annotation-{}.csv", "fasion-pairs-{}.csv", "parsing"),
    "folder": (FOLDER, "annotation.csv", "", "labels"),
}


def data_set(folder, dataset, size, frame):
    """A drawn data set whose images are of that size (height, width) and whose joints are in that frame."""
    persons, annotations, pairs, parsing = LAYOUTS[dataset]
    random = np.random.default_rng(5)
    rows = {}
    for split, names in zip(("train", "test"), persons):
        listed = [name.removeprefix("img/").split("bounding_box_" + split + "/")[-1] for name in names]
        for name, called in zip(names, listed):
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (4, 3, 3), np.uint8)).resize(size[::-1]).save(path, quality=95)
            labels = folder / parsing / f"{called[:-4]}.png"
            labels.parent.mkdir(parents=True, exist_ok=True)
            blocks = random.integers(1, 20, (8, 6), np.uint8)
            Image.fromarray(blocks).resize(size[::-1], Image.Resampling.NEAREST).save(labels)
            joints, visible = random.integers(0, frame, (18, 2)), random.random(18) < 0.8
            visible[[2, 5, 8, 11]] = True  # what a pair by the rule needs
            rows.setdefault(annotations.format(split), []).append(annotation_row(called, joints, visible))
        if pairs:
            text = "\n".join(["from,to", *map(",".join, itertools.permutations(listed, 2))])
            (folder / "data" / pairs.format(split)).write_text(text + "\n")
    for file, lines in rows.items():
        (folder / "data" / file).write_text("\n".join(["name:keypoints_y:keypoints_x", *lines]) + "\n")
    return DataOptions(
        dataset=dataset, data_dir=str(folder / "data"), parsing_dir=str(folder / parsing), test_share=0.5,
        prepared_dir=str(folder / "prepared"), height=64, width=32,
    )  # fmt: skip


CASES = [
    ("market1501", (64, 32), (64, 32), {}),
    ("market1501", (90, 70), (90, 70), {}),  # wider: columns are cut
    ("market1501", (96, 24), (96, 24), {}),  # narrower: columns are added
    ("market1501", (90, 70), (90, 70), {"picture_fit": "pad"}),
    ("market1501", (90, 70), (90, 70), {"picture_fit": "stretch"}),
    ("folder", (120, 90), (60, 45), {"keypoint_frame": "60x45"}),
    ("deepfashion", (256, 256), (256, 256), {"picture_crop": CROP, "height": 128, "width": 96}),
    # PATN's lists: joints of the columns from 40 on, for the whole images.
    ("deepfashion", (256, 256), (256, 176), {"picture_crop": CROP, "keypoint_crop": "-40,0,256,256"}),
    # Images that are cropped already, joints of the whole frame.
    ("deepfashion", (256, 176), (256, 256), {"keypoint_frame": "256x256", "keypoint_crop": CROP}),
]


@pytest.mark.parametrize("dataset, size, frame, changes", CASES)
def test_a_training_row_is_a_synthesize_row(tmp_path, dataset, size, frame, changes):
    data = dataclasses.replace(data_set(tmp_path, dataset, size, frame), **changes)
    prepared = preparation.prepare(data)
    for split in ("train", "test"):
        record = next(prepared.records(split).as_numpy_iterator())
        names = [name.decode() for name in record["names"]]
        (tmp_path / "pairs.csv").write_text(f"from,to\n{names[0]},{names[1]}\n")
        annotation = LAYOUTS[dataset][1].format(split)
        folder = {"market1501": f"data/bounding_box_{split}", "deepfashion": "data/img", "folder": "data"}[dataset]
        job = SynthesizeOptions(
            pairs=str(tmp_path / "pairs.csv"), annotation=str(tmp_path / "data" / annotation),
            image_dir=str(tmp_path / folder), output_dir="out",
        )  # fmt: skip
        ((_, make_row),) = requests.pair_requests(Options(data=data), job)
        same_as_training(make_row(), record)


def same_as_training(row, record):
    image = tf.io.decode_jpeg(record["images"][0]).numpy() / 127.5 - 1
    assert np.abs(row["condition_image"] - image).mean() < 0.02  # what JPEG costs
    np.testing.assert_array_equal(row["condition_parsing"], tf.io.decode_png(record["parsings"][0])[..., 0])
    np.testing.assert_array_equal(row["target_visible"], record["visible"][1])
    np.testing.assert_allclose(row["target_keypoints"], record["keypoints"][1], atol=1e-4)


class Seen:
    """A pipeline that keeps what it is given."""

    labels, batch_size = False, 8
    inputs = ("condition_image", "condition_parsing", "target_keypoints", "target_visible")

    def __init__(self, data):
        self.height, self.width, self.framing = data.height, data.width, Framing.of(data).flags

    def draw(self, batch):
        self.batch = batch
        return batch["condition_image"]


@pytest.mark.parametrize("as_arrays", [False, True])
def test_a_program_frames_as_training_did(tmp_path, as_arrays):
    data = dataclasses.replace(data_set(tmp_path, "deepfashion", (256, 256), (256, 256)), picture_crop=CROP)
    record = next(preparation.prepare(data).records("train").as_numpy_iterator())
    images = [str(tmp_path / "data" / name) for name in FASHION[0]]
    labels = [name.replace("data/img", "parsing").replace(".jpg", ".png") for name in images]
    layout = open_layout(dataclasses.replace(data, picture_crop=""))
    joints, visible, _ = list(layout.joints("train").values())[1]
    pipeline = Seen(data)
    inputs = [np.asarray(Image.open(path)) if as_arrays else path for path in (images[0], labels[0])]
    Synthesizer(pipeline).synthesize(inputs[0], joints, inputs[1], visible)
    same_as_training({key: value[0] for key, value in pipeline.batch.items()}, record)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, run_dir):
    """Folder of an export whose pictures were cropped and padded."""
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.serving.exporting.publish import publish

    folder = tmp_path_factory.mktemp("exported") / "small"
    pipeline = load_pipeline(run_options(str(run_dir)))
    publish(pipeline, str(folder), 1, batch_sizes=(), framing=Framing(64, 32, (8, 0, 40, 64), "pad"))
    return folder


def test_an_export_and_a_server_tell_their_framing(exported, command):
    import tfwarpgan

    with command(exported) as (_, address):
        models = [tfwarpgan.load(exported), tfwarpgan.load(f"grpc://{address}", "small")]
    for model in models:
        assert model.framing.crop == (8, 0, 40, 64) and model.framing.fit == "pad" and model.size == (64, 32)


def test_synthesize_takes_a_servers_framing():
    told = synthesize._framed(Options(), "--picture_crop=8,0,40,64 --picture_fit=pad").data
    assert (told.picture_crop, told.picture_fit) == ("8,0,40,64", "pad")
    own = Options(data=DataOptions(picture_crop="1,2,30,40"))
    assert synthesize._framed(own, "--picture_crop=8,0,40,64").data.picture_crop == "1,2,30,40"
