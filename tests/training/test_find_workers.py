"""Which processes train together: flags, TF_CONFIG, and one sentence for what cannot be."""

import json

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.options import WorkerOptions
from tfwarpgan.training.workers import Workers, find_workers

TWO = ("a:1", "b:2")


def tf_config(task=("worker", 0), **cluster):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": task[0], "index": task[1]}})}


def test_one_process_is_the_default():
    assert find_workers(WorkerOptions(), {}) == Workers()
    assert Workers().count == 1 and Workers().is_chief


def test_flags_name_them():
    found = find_workers(WorkerOptions("a:1,[::1]:2", 1, "ring"), {})
    assert found == Workers(("a:1", "[::1]:2"), 1, "ring")
    assert not found.is_chief


def test_flags_win_over_tf_config():
    assert find_workers(WorkerOptions("a:1,b:2", 1), tf_config(worker=["c:3"])).addresses == TWO


@pytest.mark.parametrize("cluster, task, addresses, index", [
    ({"worker": TWO}, ("worker", 1), TWO, 1),
    ({"worker": ["b:2"], "chief": ["a:1"]}, ("worker", 0), TWO, 1),
    ({"worker": ["b:2"], "chief": ["a:1"]}, ("chief", 0), TWO, 0),
    ({"worker": ["b:2"], "master": ["a:1"]}, ("master", "0"), TWO, 0),
    ({"worker": ["a:1"]}, ("worker", 0), ("a:1",), 0),
])  # fmt: skip
def test_tf_config_names_them(cluster, task, addresses, index):
    assert find_workers(WorkerOptions(), tf_config(task, **cluster)) == Workers(addresses, index)


def test_tf_config_without_a_cluster_is_one_process():
    assert find_workers(WorkerOptions(), {"TF_CONFIG": "{}"}) == Workers()
    assert find_workers(WorkerOptions(), {"TF_CONFIG": ""}) == Workers()


@pytest.mark.parametrize("options, told", [
    ({"workers": "a:1,b:2"}, "--worker is missing: say which of the 2"),
    ({"worker": 0}, "--worker=0 needs --workers"),
    ({"workers": "a:1,b:2", "worker": 2}, "--worker=2 must be below the 2 --workers"),
    ({"workers": "a:1,b", "worker": 0}, "--workers: 'b' is no address"),
    ({"workers": "a:1,b:70000", "worker": 0}, "--workers: 'b:70000' is no address"),
    ({"workers": "a:1,", "worker": 0}, "--workers: '' is no address"),
    ({"workers": "a:1, b:2", "worker": 0}, "--workers: ' b:2' is no address"),
    ({"workers": "http://a:1", "worker": 0}, "--workers: 'http://a:1' is no address"),
    ({"workers": "a:1,a:1", "worker": 0}, "--workers names a:1 twice"),
])  # fmt: skip
def test_flags_that_cannot_be_are_refused(options, told):
    with pytest.raises(InputError, match="^" + told.replace("[", r"\[")) as refused:
        find_workers(WorkerOptions(**options), {})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("environment, told", [
    ({"TF_CONFIG": "{"}, "TF_CONFIG cannot be read"),
    ({"TF_CONFIG": "[]"}, "TF_CONFIG cannot be read"),
    ({"TF_CONFIG": '{"cluster": ["a:1"]}'}, "TF_CONFIG cannot be read"),
    (tf_config(("worker", "first"), worker=TWO), "TF_CONFIG cannot be read"),
    (tf_config(("worker", 2), worker=TWO), "TF_CONFIG: its task 2 of job 'worker' is not in its cluster"),
    (tf_config(("chief", 0), worker=TWO), "TF_CONFIG: its task 0 of job 'chief' is not in its cluster"),
    (tf_config(("", 0), worker=TWO), "TF_CONFIG: its task 0 of job '' is not in its cluster"),
    (tf_config(worker=TWO, ps=["c:3"]), "TF_CONFIG names a job 'ps'"),
    (tf_config(("evaluator", 0), worker=TWO), "TF_CONFIG names a job 'evaluator'"),
    (tf_config(worker=["a"]), "TF_CONFIG: 'a' is no address"),
    (tf_config(worker=["a:1", "a:1"]), "TF_CONFIG names a:1 twice"),
])  # fmt: skip
def test_a_tf_config_that_cannot_be_is_refused(environment, told):
    with pytest.raises(InputError, match=f"^{told}") as refused:
        find_workers(WorkerOptions(), environment)
    assert "\n" not in str(refused.value)
