"""Versions come, fail and go, while requests are answered; several models, labels, policies and new configurations."""

import asyncio
import contextlib
import os
import shutil
import threading
import time

import numpy as np
import pytest

from tfwarpgan.serving.client import AsyncClient, Client, ServerError
from tfwarpgan.serving.exporting.publish import next_version
from tfwarpgan.serving.service.versions import versions_on_disk, wanted_versions
from tfwarpgan.serving.wire import messages

CLIENTS = 8
MANY = 5  # answers, while one version takes the place of another
STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
END, AVAILABLE = 50, 30
HEAVY = 8  # MiB of a model whose memory is counted
INPUTS = {"x": np.ones([1, 3], np.float32), "z": np.zeros(1, np.float32)}


class Loop:
    """Clients that ask without a pause, and what each was answered: version and scale.

    Whatever ends one of them, a refused request or an error of its own, fails the test that waits for them or ends.
    """

    def __init__(self, connect, target, clients=CLIENTS):
        self.answers, self.errors, self._stop = [[] for _ in range(clients)], [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(connect, target, seen)) for seen in self.answers]

    def _ask(self, connect, target, seen):
        try:
            with connect(target) as client:
                while not self._stop.is_set():
                    version, arrays = client.predict(INPUTS)
                    seen.append((version, float(arrays["y"][0, 0])))
                    time.sleep(0.001)  # the service's threads may share this process with the clients'
        except Exception as error:
            self.errors.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed, *error):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert failed or not self.errors, self.errors

    def asked(self, more):
        """Waits for so many more answers of each client."""
        wanted, end = [len(seen) + more for seen in self.answers], time.monotonic() + 20
        while any(len(seen) < want for seen, want in zip(self.answers, wanted)):
            assert not self.errors and time.monotonic() < end, self.errors
            time.sleep(0.01)

    @contextlib.contextmanager
    def swap(self):
        """A context in which versions change: the clients must ask many times meanwhile, and on."""
        before = sum(map(len, self.answers))
        yield
        assert sum(map(len, self.answers)) - before >= MANY
        self.asked(5)


def broken(saved, folder, version):
    """A version that cannot be loaded, for its weights are not what they should be."""
    path = folder / f".{version}"
    shutil.copytree(saved(1), path)
    (data,) = (path / "variables").glob("*.data-*")
    data.write_bytes(b"\x00" * data.stat().st_size)
    path.rename(folder / str(version))


def test_no_request_fails_while_versions_follow_each_other(serve, connect, saved, publish, tmp_path, eventually):
    publish(saved(1), tmp_path, 1)
    with serve(tmp_path) as client, Loop(connect, f"127.0.0.1:{client.server.port}") as loop:
        loop.asked(5)
        for version in (2, 3):
            with loop.swap():
                publish(saved(version), tmp_path, version)
                eventually(lambda v=version: client.status().get(v) == AVAILABLE)
        with loop.swap():
            broken(saved, tmp_path, 4)
            eventually(lambda: client.status().get(4) == END)
        assert client.status() == {4: END, 3: AVAILABLE, 2: END, 1: END}
        assert client.predict(INPUTS)[0] == 3
    assert client.server.models._models["tiny"].latest() is None  # what ends holds no version
    for seen in loop.answers:
        assert {version for version, _ in seen} == {1, 2, 3}
        assert seen == sorted(seen) and all(scale == version for version, scale in seen)


def test_the_reason_of_a_failed_version_is_told(serve, saved, publish, tmp_path, eventually):
    publish(saved(1), tmp_path, 1)
    with serve(tmp_path) as client:
        broken(saved, tmp_path, 2)
        eventually(lambda: client.status().get(2) == END)
        request = messages.GetModelStatusRequest(model_spec={"name": "tiny"})
        answer = client.call(
            "/tensorflow.serving.ModelService/GetModelStatus", request, messages.GetModelStatusResponse
        )
        failed, serving = answer.model_version_status
        assert failed.version == 2 and failed.status.error_code and failed.status.error_message
        assert serving.state == AVAILABLE and not serving.status.error_code


def test_a_version_that_is_copied_slowly_is_served_once_it_is_whole(
    serve, connect, saved, publish, tmp_path, eventually
):
    publish(saved(1), tmp_path, 1)
    with serve(tmp_path) as client, Loop(connect, f"127.0.0.1:{client.server.port}", 2) as loop:
        for path in sorted(saved(2).rglob("*"), key=lambda path: path.name != "saved_model.pb"):
            if path.is_file():
                copy = tmp_path / "2" / path.relative_to(saved(2))
                copy.parent.mkdir(parents=True, exist_ok=True)
                content = path.read_bytes()
                with open(copy, "wb", buffering=0) as file:
                    for part in (content[: len(content) // 2], content[len(content) // 2 :]):
                        file.write(part)
                        time.sleep(0.12)  # two polls see it so
                loop.asked(2)
        eventually(lambda: client.predict(INPUTS)[0] == 2)
        loop.asked(2)
    assert all(seen == sorted(seen) and all(scale == version for version, scale in seen) for seen in loop.answers)


def test_the_live_version_is_deleted(serve, connect, saved, publish, tmp_path, eventually):
    publish(saved(1), tmp_path, 1)
    publish(saved(2), tmp_path, 2)
    with serve(tmp_path) as client, Loop(connect, f"127.0.0.1:{client.server.port}", 2) as loop:
        assert client.predict(INPUTS)[0] == 2
        shutil.rmtree(tmp_path / "2")
        eventually(lambda: client.predict(INPUTS)[0] == 1)
        shutil.rmtree(tmp_path / "1")
        time.sleep(0.2)
        loop.asked(3)
        assert client.predict(INPUTS)[0] == 1  # the last one stays until there is another
        publish(saved(3), tmp_path, 3)
        eventually(lambda: client.predict(INPUTS)[0] == 3)


def test_a_running_request_ends_on_the_version_that_it_began_on(
    serve, saved, publish, tmp_path, eventually, build_request
):
    names = ("serving_default", "slow")
    publish(saved(1, names), tmp_path, 1)
    with serve(tmp_path) as client:
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        request = build_request({"steps": np.int32([200000])}, name="tiny", signature_name="slow")
        running = call.future(request.SerializeToString(), timeout=30)
        publish(saved(2), tmp_path, 2)
        eventually(lambda: client.predict(INPUTS)[0] == 2)
        assert client.status()[1] in (40, END)  # on its way out
        answer = messages.PredictResponse.FromString(running.result())
        assert answer.model_spec.version.value == 1 and list(answer.outputs["counted"].int_val) == [200000]
        eventually(lambda: client.status()[1] == END)


def _slow_request(steps):
    request = messages.PredictRequest(model_spec={"name": "tiny", "signature_name": "slow"})
    request.inputs["steps"].CopyFrom(
        messages.TensorProto(dtype=3, int_val=[steps], tensor_shape={"dim": [{"size": 1}]})
    )
    return request.SerializeToString()


def test_fifty_swaps_take_no_more_memory(command, connect, saved, publish, tmp_path, eventually):
    """By the command, which sets the allocator, and while clients ask."""
    heavy, folder = saved(1, ballast=HEAVY), tmp_path / "tiny"
    publish(heavy, folder, 1)
    with command(folder, "--file_system_poll_wait_seconds=0.05") as (process, target), Loop(connect, target, 4) as loop:
        sizes = []
        for version in range(2, 52):
            with loop.swap():
                publish(heavy, folder, version)
                eventually(lambda v=version: all(seen and seen[-1][0] == v for seen in loop.answers))
                shutil.rmtree(folder / str(version - 1))
            sizes.append(_resident_megabytes(process.pid))
    assert max(sizes[40:]) - max(sizes[:10]) < 4 * HEAVY, sizes  # a version that stayed at each swap would be 40


def _resident_megabytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def model(name, path, policy="", labels=()):
    labels = "".join(f'version_labels {{ key: "{label}" value: {version} }}\n' for label, version in labels)
    return (
        f'config {{ name: "{name}" base_path: "{path}" model_platform: "tensorflow"\n'
        f"model_version_policy {{ {policy} }}\n{labels}}}\n"
    )


@pytest.fixture
def configured(serve, tmp_path, saved, publish):
    """Context of a service of models a (versions 1, 2, 3) and b (5), by a configuration file, and that file."""

    @contextlib.contextmanager
    def configured(*models, **options):
        file = tmp_path / "models.config"
        for name, versions in (("a", (1, 2, 3)), ("b", (5,))):
            for version in versions:
                if not (tmp_path / name / str(version)).exists():
                    publish(saved(version), tmp_path / name, version)
        file.write_text("model_config_list {\n" + "".join(models) + "}\n")
        with serve(model_config_file=str(file), **options) as client:
            yield client, file

    return configured


def test_several_models_and_versions(configured, refused, tmp_path):
    models = [model("a", tmp_path / "a", "specific { versions: 1 versions: 3 }"), model("b", tmp_path / "b")]
    with configured(*models) as (client, _):
        assert client.status("a") == {1: AVAILABLE, 3: AVAILABLE} and client.status("b") == {5: AVAILABLE}
        assert client.predict(INPUTS, name="a")[0] == 3 and client.predict(INPUTS, name="b")[0] == 5
        version, arrays = client.predict(INPUTS, name="a", version=1)
        assert version == 1 and arrays["y"].tolist() == [[1, 1, 1]]
        with refused("NOT_FOUND", "Servable not found for request: Specific(a, 2)"):
            client.predict(INPUTS, name="a", version=2)


def test_labels(configured, refused, tmp_path):
    labels = [("stable", 2), ("canary", 3), ("gone", 1)]
    with configured(model("a", tmp_path / "a", "latest { num_versions: 2 }", labels)) as (client, _):
        assert client.predict(INPUTS, name="a", version_label="stable")[0] == 2
        assert client.predict(INPUTS, name="a", version_label="canary")[0] == 3
        with refused("NOT_FOUND", "Servable not found for request: Specific(a, 1)"):
            client.predict(INPUTS, name="a", version_label="gone")
        with refused("INVALID_ARGUMENT", "Unrecognized servable version label: other"):
            client.predict(INPUTS, name="a", version_label="other")


async def _ready(target, timeout, **options):
    async with AsyncClient(target, "a", **options) as people:
        await people.wait_until_ready(timeout)


def ready(kind, target, timeout, **options):
    """Waits with a client of either kind."""
    if kind == "asyncio":
        return asyncio.run(_ready(target, timeout, **options))
    with Client(target, "a", **options) as people:
        return people.wait_until_ready(timeout)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_a_label_is_ready_once_its_version_is_served(configured, tmp_path, saved, publish, kind):
    labels = [("stable", 3), ("canary", 4)]
    with configured(model("a", tmp_path / "a", "latest { num_versions: 2 }", labels)) as (bare, _):
        target = f"127.0.0.1:{bare.server.port}"
        ready(kind, target, 5)
        ready(kind, target, 5, label="stable")
        for label in ("canary", "other"):
            with pytest.raises(ServerError):
                ready(kind, target, 0.4, label=label)
        publisher = threading.Timer(0.3, publish, (saved(4), tmp_path / "a", 4))
        publisher.start()
        ready(kind, target, 20, label="canary")
        assert bare.predict(INPUTS, name="a", version_label="canary")[0] == 4
        publisher.join()


def test_a_number_above_int64_is_no_version(serve, tmp_path, saved, publish):
    for version in (1, 2**63, 10**30):
        publish(saved(1), tmp_path / "tiny", version)
    assert set(versions_on_disk(tmp_path / "tiny")) == {1}
    assert next_version(str(tmp_path / "tiny")) == 2
    with serve(tmp_path / "tiny") as bare:
        assert bare.predict(INPUTS)[0] == 1 and bare.status() == {1: AVAILABLE}
    (tmp_path / "tiny" / str(2**63)).rename(tmp_path / "tiny" / str(2**63 - 1))
    with serve(tmp_path / "tiny") as bare:
        assert bare.predict(INPUTS)[0] == 2**63 - 1


def test_a_reload_changes_models_and_labels(configured, refused, tmp_path):
    both = "specific { versions: 1 versions: 2 }"
    with configured(model("a", tmp_path / "a", both, [("stable", 1)]), allow_reload=True) as (client, _):
        new = {"name": "a", "base_path": str(tmp_path / "a"), "model_platform": "tensorflow"}
        policy = {"specific": {"versions": [1, 2]}}
        new = {**new, "model_version_policy": policy, "version_labels": {"stable": 2}}
        other = {"name": "b", "base_path": str(tmp_path / "b"), "model_platform": "tensorflow"}
        assert client.reload({"config": [new, other]}).status.error_code == 0
        assert client.predict(INPUTS, name="a", version_label="stable")[0] == 2
        assert client.predict(INPUTS, name="b")[0] == 5
        with refused("FAILED_PRECONDITION", "Request to assign label to version 9 of model a, which is not currently"):
            client.reload({"config": [{**new, "version_labels": {"stable": 9}}]})
        with refused("INVALID_ARGUMENT", "Illegal to list model a multiple times in config list"):
            client.reload({"config": [new, new]})
        assert client.predict(INPUTS, name="b")[0] == 5  # a refused list changes nothing
        with refused("UNKNOWN", "1 model(s) did not become available: c"):
            client.reload({"config": [new, {**other, "name": "c", "base_path": str(tmp_path / "none")}]})
        client.reload({"config": [new]})
        with refused("NOT_FOUND", "Servable not found for request: Latest(b)"):
            client.predict(INPUTS, name="b")


def test_the_configuration_file_is_followed(configured, eventually, tmp_path):
    first = model("a", tmp_path / "a", "specific { versions: 1 }")
    with configured(first, model_config_file_poll_wait_seconds=1) as (client, file):
        file.write_text("model_config_list { config { nonsense } }")
        time.sleep(1.2)
        assert client.predict(INPUTS, name="a")[0] == 1
        file.write_text("model_config_list {" + model("a", tmp_path / "a", "all {}") + "}")
        eventually(lambda: client.predict(INPUTS, name="a")[0] == 3)
        assert client.status("a") == dict.fromkeys((1, 2, 3), AVAILABLE)


@pytest.mark.parametrize(
    "policy, expected",
    [
        ({}, [9]),
        ({"latest": {"num_versions": 2}}, [4, 9]),
        ({"latest": {"num_versions": 20}}, [1, 4, 9]),
        ({"all": {}}, [1, 4, 9]),
        ({"specific": {"versions": [4, 5]}}, [4]),
    ],
)
def test_policies(policy, expected):
    policy = messages.FileSystemStoragePathSourceConfig.ServableVersionPolicy(**policy)
    assert wanted_versions(policy, [9, 1, 4]) == expected


def test_only_folders_with_numbers_for_names_are_versions(tmp_path):
    for name in ("1", "007", "2.5", "-3", "v4", ".5", "٣"):
        (tmp_path / name).mkdir()
    (tmp_path / "6").write_text("a file")
    assert versions_on_disk(tmp_path) == {1: str(tmp_path / "1"), 7: str(tmp_path / "007")}
    assert versions_on_disk(tmp_path / "none") == {}
