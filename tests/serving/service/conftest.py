"""Tiny SavedModels, services over real sockets in this process, and a bare client of them."""

import contextlib
import gc
import shutil
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.serve import ServeOptions
from tfwarpgan.serving.service.server import Server
from tfwarpgan.serving.wire import messages, tensors

PREDICTION, MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
SIDE = 4  # of the pictures, pixels
NO_WAITS = {"lame_duck_seconds": 0.0, "grace_seconds": 10.0}
FEATURES = {"x": tf.io.FixedLenFeature([], tf.float32)}


def signature(**specs):
    """A decorator: a signature of named inputs, each (shape, type)."""
    specs = [tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in specs.items()]
    return lambda function: tf.function(function, input_signature=specs, autograph=False)


class TinyModel(tf.Module):
    """Signatures that each show one thing; all but `careless` ensure their shapes."""

    def __init__(self, scale):
        super().__init__()
        self.scale = tf.Variable(float(scale))

    @signature(x=([None, 3], tf.float32), z=([None], tf.float32))
    def serving_default(self, x, z):
        x = tf.ensure_shape(x, [None, 3])
        return {"y": x * self.scale + z[:, None], "sum": tf.reduce_sum(x, axis=1)}

    @signature(image_bytes=([None], tf.string))
    def encoded(self, image_bytes):
        def decode(picture):
            picture = tf.io.decode_image(picture, channels=3, expand_animations=False)
            return tf.ensure_shape(picture, [SIDE, SIDE, 3])

        image_bytes = tf.ensure_shape(image_bytes, [None])
        pictures = tf.map_fn(decode, image_bytes, fn_output_signature=tf.TensorSpec([SIDE, SIDE, 3], tf.uint8))
        return {"image_bytes": tf.map_fn(tf.io.encode_png, 255 - pictures, fn_output_signature=tf.string)}

    @signature(x=([None, 8, 8, 3], tf.float32))
    def careless(self, x):
        return {"y": tf.nn.conv2d(x, tf.ones([3, 3, 3, 1]), 1, "SAME")}

    @signature(steps=([None], tf.int32))
    def slow(self, steps):
        most = tf.reduce_max(steps)
        counted = tf.while_loop(lambda i: i < most, lambda i: [i + 1], [0])[0]
        return {"counted": tf.fill(tf.shape(steps), counted)}

    @signature(x=([None], tf.float32))
    def positive(self, x):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(x >= 0), ["negative:", x])]):
            return {"y": x * self.scale}

    @signature(x=([None], tf.float32))
    def total(self, x):
        return {"total": tf.reduce_sum(x)}

    @signature(x=([None, None], tf.float32))
    def widths(self, x):
        return {"width": tf.fill(tf.shape(x)[:1], tf.shape(x)[1]), "y": x}

    @signature(x=([None], tf.float32))
    def batch(self, x):
        return {"rows": tf.fill(tf.shape(x), tf.shape(x)[0])}

    @signature(x=([None], tf.string))
    def header(self, x):
        return {"y": tf.strings.substr(x, 3, 1)}

    @signature(x=([None], tf.string))
    def strings(self, x):
        return {"y": x, "length": tf.strings.length(x), "first": x[0]}

    @signature(x=([None], tf.string))
    def joined(self, x):
        return {"y": tf.strings.reduce_join(x)}

    @signature(inputs=([None], tf.string))
    def classify(self, inputs):
        x = tf.io.parse_example(inputs, FEATURES)["x"]
        labels = tf.tile(tf.constant([["low", "high"]]), [tf.size(x), 1])
        return {"classes": labels, "scores": tf.stack([1 - x, x], axis=1)}

    @signature(inputs=([None], tf.string))
    def regress(self, inputs):
        return {"outputs": tf.io.parse_example(inputs, FEATURES)["x"] * self.scale}


NAMES = [name for name in vars(TinyModel) if not name.startswith("_")]


@pytest.fixture(scope="session", autouse=True)
def quick_collections():
    """As the command does: what is there stays out of the collections that follow a version's end."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Function: folder of the SavedModel of a scale, which multiplies what it is given; ballast is MiB of weights."""
    root = tmp_path_factory.mktemp("saved")

    def saved(scale, names=("serving_default",), ballast=0):
        path = root / f"{scale}-{len(names)}-{ballast}"
        if not path.exists():
            model = TinyModel(scale)
            model.ballast = tf.Variable(tf.ones([ballast, 2**18]))
            tf.saved_model.save(model, str(path), {name: getattr(model, name) for name in names})
        return path

    return saved


@pytest.fixture(scope="session")
def everything(saved):
    """Folder of a model with all signatures; its scale is 2."""
    folder = saved(2, NAMES).parent / "everything"
    if not folder.exists():
        shutil.copytree(saved(2, NAMES), folder / "1")
    return folder


@pytest.fixture(scope="session")
def publish():
    """Function that puts a SavedModel in place as a version, at once."""

    def publish(saved, folder, version):
        folder.mkdir(exist_ok=True, parents=True)
        shutil.copytree(saved, folder / f".{version}")
        (folder / f".{version}").rename(folder / str(version))

    return publish


@pytest.fixture(scope="session")
def serve():
    """Function that starts a service in this process; a context, and a client comes with it."""

    @contextlib.contextmanager
    def serve(folder=None, **options):
        if folder:
            options = {"model_base_path": str(folder), "model_name": "tiny", **options}
        options = {"port": 0, "file_system_poll_wait_seconds": 0.05, **NO_WAITS, **options}
        with Server(ServeOptions(**options)) as server, Client(f"127.0.0.1:{server.port}") as client:
            client.server = server
            yield client

    return serve


class Client:
    """The methods of the service, each a call that raises `grpc.RpcError`."""

    def __init__(self, target, credentials=None):
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if credentials:
            self.channel = grpc.secure_channel(target, credentials, options)
        else:
            self.channel = grpc.insecure_channel(target, options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.channel.close()

    def call(self, method, request, response, timeout=30):
        """Calls a method by its full name; the response is a class of messages."""
        call = self.channel.unary_unary(
            method, request_serializer=type(request).SerializeToString, response_deserializer=response.FromString
        )
        return call(request, timeout=timeout, wait_for_ready=True)

    def predict(self, inputs, timeout=30, output_filter=(), name="tiny", **spec):
        """(version, arrays by name) of an answer."""
        answer = self.send(predict_request(inputs, output_filter, name=name, **spec), timeout)
        arrays = {name: tensors.from_proto(proto) for name, proto in answer.outputs.items()}
        return answer.model_spec.version.value, arrays

    def send(self, request, timeout=30):
        return self.call(PREDICTION + "Predict", request, messages.PredictResponse, timeout)

    def status(self, name="tiny", **spec):
        """States by version."""
        request = messages.GetModelStatusRequest(model_spec=model_spec(name=name, **spec))
        answer = self.call(MODEL + "GetModelStatus", request, messages.GetModelStatusResponse)
        return {version.version: version.state for version in answer.model_version_status}

    def reload(self, config_list, timeout=30):
        request = messages.ReloadConfigRequest(config={"model_config_list": config_list})
        return self.call(MODEL + "HandleReloadConfigRequest", request, messages.ReloadConfigResponse, timeout)


def model_spec(version=None, **spec):
    found = messages.ModelSpec(**spec)
    if version is not None:
        found.version.value = version
    return found


def predict_request(inputs, output_filter=(), **spec):
    request = messages.PredictRequest(model_spec=model_spec(**spec), output_filter=output_filter)
    for name, array in inputs.items():
        proto = array if isinstance(array, messages.TensorProto) else tensors.to_proto(array)
        request.inputs[name].CopyFrom(proto)
    return request


@pytest.fixture(scope="session")
def connect():
    """The client's class."""
    return Client


@pytest.fixture(scope="session")
def build_request():
    """Function that makes a PredictRequest of arrays."""
    return predict_request


@pytest.fixture(scope="session")
def refused():
    """Context in which a call must fail with a code, and a text that begins so."""

    @contextlib.contextmanager
    def refused(code, text=""):
        with pytest.raises(grpc.RpcError) as caught:
            yield
        found = (caught.value.code().name, caught.value.details())
        assert found[0] == code and found[1].startswith(text), found

    return refused


@pytest.fixture(scope="session")
def eventually():
    """Function that waits until another gives something true."""

    def eventually(function, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = function()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")

    return eventually


@pytest.fixture
def rows():
    """Inputs of serving_default, by number of rows."""
    return lambda count: {
        "x": np.arange(3 * count, dtype=np.float32).reshape(count, 3),
        "z": np.ones(count, np.float32),
    }
