"""The rendered deployment: text protos and YAML parse, versions agree, and a server starts by it."""

import contextlib
import importlib.util
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
import yaml
from google.protobuf import text_format

from tfwarpgan.errors import InputError
from tfwarpgan.export import ExportOptions
from tfwarpgan.flags import all_fields
from tfwarpgan.options import Options, WorkerOptions
from tfwarpgan.serving.client import TLS, Client, ServerError
from tfwarpgan.serving.service.metrics import Metrics
from tfwarpgan.serving.wire import messages
from tfwarpgan.training.workers import Workers, find_workers

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONFIGURATIONS = {
    "config/models.config": messages.ModelServerConfig,
    "config/batching.config": messages.BatchingParameters,
    "config/monitoring.config": messages.MonitoringConfig,
}


def load_render():
    spec = importlib.util.spec_from_file_location("render", ROOT / "export" / "render.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["render"] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


render = load_render()


def parsed(files):
    """The configurations by name, the compose service, and the Kubernetes objects by kind."""
    configurations = {
        name: text_format.Parse(files[name], message()) for name, message in CONFIGURATIONS.items() if name in files
    }
    (service,) = yaml.safe_load(files["compose.yaml"])["services"].values()
    objects = {each["kind"]: each for each in yaml.safe_load_all(files["kubernetes.yaml"])}
    return configurations, service, objects


def test_what_is_committed_is_what_the_template_gives():
    files = render.render(render.RenderOptions())
    assert set(files) == {*CONFIGURATIONS, "compose.yaml", "kubernetes.yaml", "alerts.yaml", "training.yaml"}
    for name, text in files.items():
        assert (ROOT / "export" / name).read_text() == text, f"run python export/render.py: {name}"


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, {"stable": 1}),
        ({"stable": 2, "canary": 2}, {"stable": 2}),
        ({"stable": 2, "canary": 1}, {"stable": 2, "canary": 1}),
        (
            {"model": "market-256", "stable": 3, "canary": 5, "image_version": "2.16.1"},
            {"stable": 3, "canary": 5},
        ),
    ],
)
def test_versions_and_names_agree(options, expected):
    options = render.RenderOptions(**options)
    configurations, service, objects = parsed(render.render(options))
    (model,) = configurations["config/models.config"].model_config_list.config
    assert model.name == options.model and model.base_path == f"/models/{options.model}"
    labels = dict(model.version_labels)
    assert labels == expected
    assert list(model.model_version_policy.specific.versions) == sorted(labels.values())
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert service["image"] == container["image"] == f"tensorflow/serving:{options.image_version}"
    assert service["command"] == container["args"]
    assert service["environment"] == {each["name"]: each["value"] for each in container["env"]}
    for kind in (
        "ConfigMap",
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
    ):
        assert objects[kind]["metadata"]["name"] == f"{options.model}-serving"
    claim = {volume["name"]: volume for volume in pod["volumes"]}["models"]["persistentVolumeClaim"]["claimName"]
    assert objects["PersistentVolumeClaim"]["metadata"]["name"] == claim
    selector = objects["Deployment"]["spec"]["selector"]["matchLabels"]
    assert objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == selector
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == f"{options.model}-serving"
    assert objects["Service"]["spec"]["selector"] == selector
    assert objects["Deployment"]["spec"]["template"]["metadata"]["labels"] == selector


def test_kubernetes_carries_the_same_configuration():
    files = render.render(render.RenderOptions(canary=2))
    (data,) = [each["data"] for each in yaml.safe_load_all(files["kubernetes.yaml"]) if each["kind"] == "ConfigMap"]
    assert set(data) == {pathlib.Path(name).name for name in CONFIGURATIONS}
    for name, message in CONFIGURATIONS.items():
        text = data[pathlib.Path(name).name]
        assert text_format.Parse(text, message()) == text_format.Parse(files[name], message())


def test_every_mounted_folder_is_mounted_and_every_flag_is_pointed_at_one(certificates):
    for options in (render.RenderOptions(), render.RenderOptions(tls_dir=str(certificates))):
        _, service, objects = parsed(render.render(options))
        (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
        folders = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {volume.split(":")[1] for volume in service["volumes"]} == folders - {"/tmp"}
        used = {"/" + flag.split("=/")[1].split("/")[0] for flag in service["command"] if "=/" in flag}
        assert used == folders - {"/tmp", "/models"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {each["name"] for each in objects["Deployment"]["spec"]["template"]["spec"]["volumes"]}


def test_a_gpu_is_asked_for_and_the_image_is_the_one_for_it():
    digest = "sha256:" + "0123456789abcdef" * 4
    _, service, objects = parsed(render.render(render.RenderOptions(gpus=2, image_digest=digest)))
    deployment = objects["Deployment"]["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    assert service["image"] == container["image"] == f"tensorflow/serving:2.15.1-gpu@{digest}"
    assert container["resources"]["limits"] == {"memory": "2048Mi", "nvidia.com/gpu": "2"}
    assert deployment["template"]["spec"]["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}
    _, service, objects = parsed(render.render(render.RenderOptions()))
    assert "nvidia" not in str(objects["Deployment"]) and "deploy" not in service
    assert objects["Deployment"]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_the_autoscaler_goes_by_what_is_recorded_of_metrics_that_there_are():
    files = render.render(render.RenderOptions(replicas=3, max_replicas=5))
    autoscaler = parsed(files)[2]["HorizontalPodAutoscaler"]["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (3, 5)
    (group,) = yaml.safe_load(files["alerts.yaml"])["groups"]
    (recorded,) = [rule["record"] for rule in group["rules"] if "record" in rule]
    assert autoscaler["metrics"][0]["pods"]["metric"]["name"] == recorded
    used = {name for rule in group["rules"] for name in re.findall(r"(?:tfwarpgan_|:tensorflow:)[\w:]+", rule["expr"])}
    counted = Metrics().text()
    for name in used:
        assert f"# TYPE {re.sub('_(sum|bucket)$', '', name)} " in counted, name
    assert {name for rule in group["rules"] for name in rule} >= {"alert", "expr", "for", "labels", "annotations"}


def training_objects(**changes):
    """The Kubernetes objects of a training by kind, and its container."""
    files = render.render(render.RenderOptions(), render.TrainingOptions(**changes))
    objects = {each["kind"]: each for each in yaml.safe_load_all(files["training.yaml"]) if each}
    (container,) = objects["Job"]["spec"]["template"]["spec"]["containers"]
    return objects, container


@pytest.mark.parametrize("count", [1, 3])
def test_a_training_s_workers_find_each_other(count):
    objects, container = training_objects(training_workers=count)
    job, pod = objects["Job"], objects["Job"]["spec"]["template"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == count
    flags = dict(flag.removeprefix("--").split("=", 1) for flag in container["args"])
    assert flags["worker"] == "$(JOB_COMPLETION_INDEX)"
    # The name of a pod of an indexed job is the job's and its index, below its subdomain, which is a service's name.
    name, subdomain = job["metadata"]["name"], pod["spec"]["subdomain"]
    assert objects["Service"]["metadata"]["name"] == subdomain and objects["Service"]["spec"]["clusterIP"] == "None"
    (port,) = [each["containerPort"] for each in container["ports"]]
    addresses = [f"{name}-{index}.{subdomain}:{port}" for index in range(count)]
    assert flags["workers"].split(",") == addresses
    for index in range(count):
        found = find_workers(WorkerOptions(workers=flags["workers"], worker=index), {})
        assert found == Workers(tuple(addresses), index)
    labels = pod["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"] == labels
    policy = objects["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": labels}}]}]


def test_a_training_has_the_flags_of_its_flagfile():
    objects, container = training_objects()
    (text,) = objects["ConfigMap"]["data"].values()
    wanted = (ROOT / "configs/people.flags").read_text().splitlines()
    assert text.splitlines() == [line for line in wanted if line.startswith("--")]
    assert container["args"][0] == "--flagfile=/config/train.flags"
    known = {field.name for field in all_fields(Options, WorkerOptions)}
    assert {flag.removeprefix("--").split("=")[0] for flag in container["args"][1:]} <= known


def test_a_training_s_gpus_and_volume():
    objects, container = training_objects(training_gpus=8, training_dir="/mnt/work")
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert container["resources"]["limits"] == {"memory": "16384Mi", "nvidia.com/gpu": "8"}
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"
    claim = {volume["name"]: volume for volume in pod["volumes"]}["training"]["persistentVolumeClaim"]["claimName"]
    assert objects["PersistentVolumeClaim"]["metadata"]["name"] == claim
    assert objects["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert container["workingDir"] == mounts["training"] == "/mnt/work"
    assert {"--run_dir=/mnt/work/runs/people", "--prepared_dir=/mnt/work/prepared"} <= set(container["args"])


def test_a_training_in_an_object_store_has_no_volume():
    objects, container = training_objects(training_gpus=0, training_dir="s3://bucket/people")
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert "PersistentVolumeClaim" not in objects and "nvidia" not in str(pod)
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}
    assert "--run_dir=s3://bucket/people/runs/people" in container["args"]
    assert container["envFrom"] == [{"secretRef": {"name": "people-training"}}]


@pytest.mark.parametrize("changes, told", [
    ({"training_dir": "training"}, "--training_dir"),
    ({"training_image": "a b"}, "--training_image"),
    ({"training_flagfile": "no/such.flags"}, "--training_flagfile"),
])  # fmt: skip
def test_a_training_that_cannot_be_is_refused(changes, told):
    with pytest.raises(InputError, match=told):
        training_objects(**changes)


def test_models_are_written_by_others_and_read_by_servers():
    _, service, objects = parsed(render.render(render.RenderOptions()))
    assert objects["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "models"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "models"]
    assert mount["readOnly"] and volume["persistentVolumeClaim"]["readOnly"]
    assert any(re.fullmatch(".*:/models:ro", mounted) for mounted in service["volumes"])


def test_batches_are_those_that_an_export_warms():
    batching = text_format.Parse((ROOT / "export/config/batching.config").read_text(), messages.BatchingParameters())
    assert list(batching.allowed_batch_sizes) == ExportOptions().sizes
    assert batching.max_batch_size.value == max(batching.allowed_batch_sizes)
    assert ExportOptions().batch_sizes == render.RenderOptions().batch_sizes


def test_the_server_is_that_of_the_oldest_stack():
    requirement = re.search(r'"tensorflow==([\d.]+)"', (ROOT / "setup.py").read_text()).group(1)
    assert render.RenderOptions().image_version == requirement
    mentioned = set(re.findall(r"tensorflow/serving:([\d.]+\d)", (ROOT / "export/README.md").read_text()))
    assert mentioned <= {requirement}


def test_tls_files_become_an_ssl_config(certificates):
    text = render.render(render.RenderOptions(tls_dir=str(certificates)))["tls/ssl.config"]
    config = text_format.Parse(text, messages.SSLConfig())
    assert config.server_key == (certificates / "server.key").read_text()
    assert config.server_cert == (certificates / "server.crt").read_text()
    assert config.custom_ca == (certificates / "ca.crt").read_text() and config.client_verify


def test_keys_are_written_for_the_owner_alone(certificates, tmp_path, capsys):
    render.main(render.RenderOptions(tls_dir=str(certificates), output_dir=str(tmp_path)))
    assert (tmp_path / "tls" / "ssl.config").stat().st_mode & 0o777 == 0o600
    assert "ssl.config" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, told",
    [
        ({"model": "My Model"}, "--model"),
        ({"image_version": "latest"}, "--image_version"),
        ({"batch_sizes": "1;2"}, "--batch_sizes"),
        ({"image_digest": "sha256:12"}, "--image_digest"),
        ({"max_replicas": 1}, "--max_replicas"),
    ],
)
def test_what_cannot_be_deployed_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        render.RenderOptions(**options)
    with pytest.raises(InputError, match="server.key"):
        render.render(render.RenderOptions(tls_dir="no/such/folder"))


def save_multiplier(factor, path):
    module = tf.Module()
    module.function = tf.function(lambda x: {"y": x * factor}, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(path), signatures=module.function)


def write_files(folder, **options):
    """Writes the rendered files, and gives the flags of the compose file, with paths and ports of a test."""
    render.main(render.RenderOptions(output_dir=str(folder), **options))
    models = folder / "config" / "models.config"
    models.write_text(models.read_text().replace("/models/", f"{folder}/models/"))
    (service,) = yaml.safe_load((folder / "compose.yaml").read_text())["services"].values()
    ports = {"--port=8500": "--port=0", "--rest_api_port=8501": "--rest_api_port=-1"}
    return [re.sub("=/(config|tls)/", rf"={folder}/\1/", ports.get(flag, flag)) for flag in service["command"]]


@contextlib.contextmanager
def started(flags):
    """A server in a process of its own; gives its gRPC target, and the address of its REST API."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tfwarpgan.serve", *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield tuple(next(line for line in server.stdout if " at " in line).split()[-1] for _ in ("gRPC", "REST"))
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


@pytest.fixture
def two_versions(tmp_path):
    """Folder whose models/people has version 1, which multiplies by 1, and version 2, by 2."""
    for version in (1, 2):
        save_multiplier(float(version), tmp_path / "models" / "people" / str(version))
    return tmp_path


def test_a_server_starts_by_it(certificates, two_versions):
    """Two versions, both labels, batching, metrics and TLS: the flags of the compose file, with paths of this test."""
    with started(write_files(two_versions, canary=2, tls_dir=str(certificates))) as (target, _):
        files = [str(certificates / name) for name in ("ca.crt", "server.crt", "server.key")]
        own = TLS(*files, server_name="people.example")
        x = {"x": np.array([3.0], np.float32)}
        for label, expected in (("stable", 3.0), ("canary", 6.0)):
            with Client(target, "people", label=label, tls=own, timeout=20) as client:
                client.wait_until_ready()
                assert client.predict(x)["y"].tolist() == [expected]
        with Client(target, "people", attempts=1, timeout=5) as client, pytest.raises(ServerError, match="UNAVAILABLE"):
            client.predict(x)


def http_status(address):
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_version_that_failed_is_not_ready(two_versions):
    flags = write_files(two_versions, canary=2)
    (two_versions / "models/people/2/saved_model.pb").write_bytes(b"broken")
    objects = {each["kind"]: each for each in yaml.safe_load_all((two_versions / "kubernetes.yaml").read_text())}
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    (path,) = {container[kind]["httpGet"]["path"] for kind in ("startupProbe", "readinessProbe")}
    with started(flags) as (_, rest):
        root = rest.removesuffix("/v1/models/")
        assert http_status(root + path) == 200
        assert http_status(root + path.replace("stable", "canary")) == 404
        assert http_status(f"{rest}people/versions/2") == 200  # the status alone, which a probe must not trust


def answers(target):
    """What each label answers to 1, which is its version's number; None where there is no such label."""
    found = {}
    for label in ("stable", "canary"):
        with Client(target, "people", label=label, timeout=20) as client:
            try:
                found[label] = client.predict({"x": np.ones(1, np.float32)})["y"].tolist()[0]
            except ServerError as error:
                found[label] = None if "Unrecognized servable version label" in error.details else error.details
    return found


def test_a_version_is_rolled_out_and_back(two_versions):
    """The steps of export/README.md, at a server that reads the configuration file again each second."""
    flags = write_files(two_versions, stable=1)
    flags = [re.sub("(--model_config_file_poll_wait_seconds)=10", r"\1=1", flag) for flag in flags]
    assert "--model_config_file_poll_wait_seconds=1" in flags
    with started(flags) as (target, _):
        assert answers(target) == {"stable": 1, "canary": None}
        for stable, canary in ((1, 2), (2, None), (2, 1), (1, None)):
            write_files(two_versions, stable=stable, canary=canary or 0)
            expected, deadline = {"stable": stable, "canary": canary}, time.monotonic() + 20
            while answers(target) != expected and time.monotonic() < deadline:
                time.sleep(0.1)
            assert answers(target) == expected
