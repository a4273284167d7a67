"""A version is warm before it is served, and one that a record does not fit is not served."""

import os

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.serving.wire import messages

END = 50


def record(kind, request):
    return messages.PredictionLog(**{f"{kind}_log": {"request": request}}).SerializeToString()


def write(folder, records):
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in records:
            writer.write(content)
    return path


@pytest.fixture
def examples():
    found = messages.Input()
    found.example_list.examples.add().features.feature["x"].float_list.value.append(0.5)
    return found


def spec(name):
    return {"name": "tiny", "signature_name": name}


def test_each_kind_of_record_is_run(serve, everything, publish, tmp_path, build_request, rows, examples, monkeypatch):
    from tfwarpgan.serving.service.servables import Servable

    runs = []
    monkeypatch.setattr(Servable, "run", lambda self, *args, run=Servable.run: runs.append(args) or run(self, *args))
    publish(everything / "1", tmp_path, 1)
    tasks = [{"model_spec": spec("regress"), "method_name": "tensorflow/serving/regress"}]
    records = [
        record("predict", build_request(rows(2), name="a model of any name")),
        record("predict", build_request({"x": np.float32([1])}, signature_name="positive")),
        record("classify", messages.ClassificationRequest(model_spec=spec("classify"), input=examples)),
        record("regress", messages.RegressionRequest(model_spec=spec("regress"), input=examples)),
        record("multi_inference", messages.MultiInferenceRequest(tasks=tasks, input=examples)),
    ]
    write(tmp_path / "1", records)
    with serve(tmp_path) as client:
        assert len(runs) == len(records)
        assert client.predict(rows(1))[0] == 1


@pytest.mark.parametrize("wrong", ["inputs", "no signature", "session", "no message", "no record", "too many"])
def test_a_record_that_fails_keeps_the_version_away(serve, saved, publish, tmp_path, build_request, rows, wrong):
    publish(saved(1), tmp_path, 1)
    good = record("predict", build_request(rows(1)))
    records = {
        "inputs": [record("predict", build_request({"x": np.zeros(1, np.float32)}))],
        "no signature": [record("predict", build_request(rows(1), signature_name="none"))],
        "session": [messages.PredictionLog(session_run_log={}).SerializeToString()],
        "no message": [b"\xff\xff"],
        "no record": [good],
        "too many": [good] * 1001,
    }[wrong]
    path = write(tmp_path / "1", [good, *records])
    if wrong == "no record":
        os.truncate(path, path.stat().st_size - 3)
    with pytest.raises(InputError, match="Version 1 of model tiny cannot be served: "), serve(tmp_path):
        pass


def test_an_old_version_serves_on_where_the_new_one_cannot_warm_up(
    serve, saved, publish, tmp_path, eventually, build_request, rows
):
    publish(saved(1), tmp_path, 1)
    with serve(tmp_path) as client:
        publish(saved(2), tmp_path / "next", 2)
        write(tmp_path / "next" / "2", [record("predict", build_request(rows(1), signature_name="none"))])
        (tmp_path / "next" / "2").rename(tmp_path / "2")
        eventually(lambda: client.status().get(2) == END)
        assert client.predict(rows(1))[0] == 1
