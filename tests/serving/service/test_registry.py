"""What happens between a change of the configuration and the requests and loads around it."""

import concurrent.futures
import contextlib
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.serve import ServeOptions
from tfwarpgan.serving.service.registry import Models
from tfwarpgan.serving.service.server import Server
from tfwarpgan.serving.service.versions import Model
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError

LABELED = {"name": "tiny", "version_label": "stable"}


class Loaded:
    """Stands for a version of a model."""

    def __init__(self, name, number, path):
        self.number, self.closed = number, False

    def close(self):
        self.closed = True


def config_list(path, versions=(), stable=0):
    config = {"name": "tiny", "base_path": str(path), "model_platform": "tensorflow"}
    if versions:
        config["model_version_policy"] = {"specific": {"versions": versions}}
    if stable:
        config["version_labels"] = {"stable": stable}
    return messages.ModelConfigList(config=[config])


@pytest.fixture
def folder(tmp_path):
    """Folder of versions 1 and 2."""
    for version in "12":
        (tmp_path / version).mkdir()
    return tmp_path


def test_a_label_that_moves_while_it_is_looked_up_fails_no_request(folder, monkeypatch):
    models = Models(Loaded)
    models.configure(config_list(folder, [1, 2], stable=1), first=True)

    def servable(self, number=None, original=Model.servable):
        monkeypatch.undo()  # the label has been looked up, and just now it moves
        models.configure(config_list(folder, [2], stable=2))
        return original(self, number)

    monkeypatch.setattr(Model, "servable", servable)
    with models.servable(messages.ModelSpec(**LABELED)) as chosen:
        assert chosen.number == 2
    models.stop()


def test_readiness_is_that_of_what_a_call_names(folder):
    def load(name, number, path):
        if number == 2:
            raise ServingError("DATA_LOSS", "broken")
        return Loaded(name, number, path)

    models = Models(load)
    models.configure(config_list(folder, [1, 2], stable=2), first=True)
    assert models.readiness() == {
        "tiny": True, "tiny/versions/1": True, "tiny/versions/2": False, "tiny/labels/stable": False,
    }  # fmt: skip
    models.configure(config_list(folder, [2]), first=True)
    assert models.readiness()["tiny"]  # version 1 stays while no other is there
    models.configure(messages.ModelConfigList(), first=True)
    assert models.readiness() == {}
    models.configure(config_list(folder, [2]), first=True)
    assert models.readiness() == {"tiny": False, "tiny/versions/2": False}


@pytest.mark.parametrize(
    "path, told",
    [
        ("models/tiny", "Expected model tiny to have an absolute path or URI; got .*=models/tiny"),
        ("~/tiny", "absolute path"),
        ("{folder}/1", "is itself a version .*; name the folder of the versions, {folder}"),
        ("{folder}/own/", "is itself a version .*; move it into a subfolder .* such as {folder}/own/1"),
    ],
)
def test_a_base_path_that_cannot_be_served_is_refused(folder, path, told):
    (folder / "own").mkdir()
    for place in ("1", "own"):
        (folder / place / "saved_model.pb").write_bytes(b"")
    models = Models(Loaded)
    with pytest.raises(ServingError, match=told.format(folder=folder)) as caught:
        models.configure(config_list(path.format(folder=folder)), first=True)
    assert caught.value.code == "INVALID_ARGUMENT" and models.readiness() == {}


def test_versions_beside_a_saved_model_are_served(folder):
    (folder / "saved_model.pb").write_bytes(b"")
    models = Models(Loaded)
    models.configure(config_list(folder), first=True)
    assert models.readiness()["tiny"]
    models.stop()


def test_a_number_that_is_gone_is_not_found(folder):
    models = Models(Loaded)
    models.configure(config_list(folder, [1]), first=True)
    with (
        pytest.raises(ServingError, match="Specific"),
        models.servable(messages.ModelSpec(name="tiny", version={"value": 2})),
    ):
        pass
    models.stop()


def test_a_removed_model_is_closed_once_it_has_answered(folder):
    models = Models(Loaded)
    models.configure(config_list(folder), first=True)
    with models.servable(messages.ModelSpec(name="tiny")) as loaded:
        models.configure(messages.ModelConfigList(), first=True)
        models.poll()
        assert not loaded.closed
    models.poll()
    assert loaded.closed


def test_a_configuration_that_changes_during_the_first_load_is_applied(saved, publish, connect, tmp_path, eventually):
    folder, file = tmp_path / "tiny", tmp_path / "models.config"
    folder.mkdir()
    text = 'model_config_list {{ config {{ name: "{}" base_path: "{}" model_platform: "tensorflow" }} }}'
    file.write_text(text.format("before", folder))
    options = ServeOptions(
        port=0,
        model_config_file=str(file),
        model_config_file_poll_wait_seconds=1,
        file_system_poll_wait_seconds=0.05,
        grace_seconds=5.0,
    )
    server = Server(options)
    with contextlib.ExitStack() as stack:
        starting = threading.Thread(target=server.start)
        starting.start()
        stack.callback(server.stop)
        time.sleep(0.3)
        file.write_text(text.format("after", folder))  # while the folder is still empty
        publish(saved(1), folder, 1)
        starting.join(20)
        with connect(f"127.0.0.1:{server.port}") as client:
            inputs = {"x": np.ones([1, 3], np.float32), "z": np.zeros(1, np.float32)}
            eventually(lambda: served(client, inputs, "after"))


def served(client, inputs, name):
    with contextlib.suppress(Exception):
        return client.predict(inputs, name=name)[0] == 1
    return False


@pytest.mark.parametrize("batching", [False, True])
def test_calls_without_a_deadline(serve, everything, rows, batching):
    with serve(everything, enable_batching=batching) as client:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = [pool.submit(client.predict, rows(1), None) for _ in range(4)]
            assert [answer.result(20)[0] for answer in answers] == [1] * 4


def save_sparse(path):
    """Saves a model with a signature of a sparse tensor beside one of a dense tensor."""
    v1 = tf.compat.v1
    info, signature = v1.saved_model.build_tensor_info, v1.saved_model.signature_def_utils.build_signature_def
    method = "tensorflow/serving/predict"
    with tf.Graph().as_default(), v1.Session() as session:
        x, sparse = v1.placeholder(tf.float32, [None], "x"), v1.sparse_placeholder(tf.float32, [None, 3])
        signatures = {
            "serving_default": signature({"x": info(x)}, {"y": info(x * 2)}, method),
            "sparse": signature({"x": info(sparse)}, {"y": info(tf.sparse.reduce_sum(sparse))}, method),
        }
        builder = v1.saved_model.builder.SavedModelBuilder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()


def test_a_signature_of_a_sparse_tensor_does_not_keep_the_others_away(serve, refused, tmp_path):
    save_sparse(tmp_path / "sparse" / "1")
    inputs = {"x": np.ones(2, np.float32)}
    with serve(tmp_path / "sparse") as client:
        assert client.predict(inputs)[1]["y"].tolist() == [2, 2]
        with refused("NOT_FOUND"):
            client.predict({"x": np.ones([2, 3], np.float32)}, signature_name="sparse")
        assert client.predict(inputs)[0] == 1
