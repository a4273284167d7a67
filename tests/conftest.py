"""What all tests share: two logical CPUs for MirroredStrategy, a small drawn data set, the folder of broken files."""

import contextlib
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytest_plugins = ["browser"]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

HEIGHT, WIDTH = 64, 32
TRAIN = {"0001": 4, "0002": 3, "0003": 2, "0007": 3, "0010": 2}
TEST = {"0004": 3, "0005": 2}
SHARED = pathlib.Path(__file__).resolve().parents[1] / "../shared/data"


@pytest.fixture(autouse=True)
def precision():
    """Whatever policy a test sets, or a training in it, the next one begins with float32."""
    yield
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def bad_inputs():
    """Folder of broken and tricky files, which lies beside the repository."""
    folder = SHARED / "bad_inputs"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Folder of keys and certificates: `ca`, `server` and `client` by it, `other` authority, `stranger` by that."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not there to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:people.example\n")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)

    def make(name, authority=None):
        new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        if authority is None:
            openssl(*new, "-x509", "-days", "2", "-subj", f"/CN={name}", "-out", f"{name}.crt")
            return
        openssl(*new, "-subj", f"/CN={name}", "-out", f"{name}.csr")
        signing = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signing, "-days", "2", "-out", f"{name}.crt")

    for name, authority in (("ca", None), ("other", None), ("server", "ca"), ("client", "ca"), ("stranger", "other")):
        make(name, authority)
    return folder


@pytest.fixture
def market(drawn_market, tmp_path):
    """Folder of a drawn data set, which a test may change: 5 + 2 persons, 64 x 32 pixels."""
    return shutil.copytree(drawn_market, tmp_path / "market")


@pytest.fixture(scope="session")
def drawn_market(tmp_path_factory):
    """The folder that `market` copies."""
    from tfwarpgan.data.joints import pose_gan

    folder = tmp_path_factory.mktemp("drawn") / "market"
    (folder / "parsing").mkdir(parents=True)
    random = np.random.default_rng(3)
    for split, persons in (("train", TRAIN), ("test", TEST)):
        (folder / f"bounding_box_{split}").mkdir()
        annotations, pairs = ["name:keypoints_y:keypoints_x"], ["from,to"]
        for person, count in persons.items():
            names = [f"{person}_c1s1_{frame:06d}_01.jpg" for frame in range(count)]
            for name in names:
                draw(folder, split, name, random)
                points = random.integers(0, [HEIGHT, WIDTH], (18, 2))
                annotations.append(pose_gan.annotation_row(name, points, random.random(18) < 0.8))
            pairs += [",".join(pair) for pair in itertools.permutations(names, 2)]
        (folder / f"market-annotation-{split}.csv").write_text("\n".join(annotations) + "\n")
        (folder / f"market-pairs-{split}.csv").write_text("\n".join(pairs) + "\n")
    return folder


def draw(folder, split, name, random):
    """A picture of smooth colors, which JPEG keeps, and a label map of blocks."""
    image = Image.fromarray(random.integers(0, 256, (4, 2, 3), np.uint8)).resize((WIDTH, HEIGHT))
    image.save(folder / f"bounding_box_{split}" / name, quality=95)
    labels = np.kron(random.integers(0, 20, (8, 4), np.uint8), np.ones((8, 8), np.uint8))
    Image.fromarray(labels).save(folder / "parsing" / name.replace(".jpg", ".png"))


def pytest_configure(config):
    """Splits the processor into two devices, before TensorFlow starts."""
    del config
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture
def options(market, tmp_path):
    """Function of changes -> DataOptions that read the drawn data set."""
    from tfwarpgan.options import DataOptions

    def make(**changes):
        values = {
            "dataset": "market1501", "data_dir": str(market), "prepared_dir": str(tmp_path / "prepared"),
            "height": 64, "width": 32, "batch_size": 4,
        }  # fmt: skip
        return DataOptions(**(values | changes))

    return make


@pytest.fixture(scope="session")
def small_options():
    """Function of changes of `TrainOptions` -> `Options` of networks as small as they can be, 64 x 32."""
    from tfwarpgan.options import DataOptions, NetworkOptions, Options, TrainOptions

    def make(**train):
        return Options(
            data=DataOptions(height=HEIGHT, width=WIDTH),
            networks=NetworkOptions(
                human_parser_weights="none", human_parser_width=8, parser_width=4, parser_blocks=1, matcher_width=4,
                matcher_scale=8, generator_width=4, generator_blocks=1, fusion_width=32, discriminator_width=4,
            ),
            train=TrainOptions(**train),
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory, small_options):
    """A run as the training leaves it, with weights large enough that every part of the networks shows.

    They are those that a release keeps of them, so that a release of this run has the same.
    """
    import tensorflow as tf

    from tfwarpgan.compat import variables_of
    from tfwarpgan.flagfiles import to_flagfile
    from tfwarpgan.inference.released import half
    from tfwarpgan.models import build
    from tfwarpgan.options import RUN_FLAGFILE

    folder = tmp_path_factory.mktemp("run")
    options = small_options(run_dir=str(folder))
    (folder / RUN_FLAGFILE).write_text(to_flagfile(options))
    generator = np.random.default_rng(0)
    tf.keras.utils.set_random_seed(0)  # unlucky weights give labels so nearly equal that a check may see either one
    for name in ("pose_guided_parser", "geometric_matcher", "warping_generator"):
        network = getattr(build, name)(options)
        weights = (weight + generator.normal(0, 0.02, weight.shape) for weight in network.get_weights())
        network.set_weights([half(weight).astype(np.float32) for weight in weights])
        checkpoint = tf.train.Checkpoint(**{name: variables_of(network)})
        tf.train.CheckpointManager(checkpoint, str(folder / name), max_to_keep=1).save()
    return folder


@pytest.fixture(scope="session")
def root():
    """Folder of the repository."""
    return pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def command(root):
    """Function of a model's folder and flags: a context of the command that serves it; gives (process, address)."""

    @contextlib.contextmanager
    def command(folder, *flags):
        flags = ["--port=0", f"--model_name={folder.name}", f"--model_base_path={folder}", *flags]
        process = subprocess.Popen(
            [sys.executable, "-m", "tfwarpgan.serve", *flags],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            yield process, process.stdout.readline().split()[-1]
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    return command
