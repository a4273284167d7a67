"""Renders the files of a deployment from template.txt: server configuration, compose, Kubernetes, alerts, a training.

    python export/render.py --model=people --stable=1 --canary=2

writes config/*.config and compose.yaml, kubernetes.yaml, alerts.yaml, training.yaml beside this file, or into
--output_dir. With
--tls_dir also tls/ssl.config, which holds the server's key: keep it out of version control.
"""

import dataclasses
import os
import pathlib
import re
import string
import textwrap

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import option
from tfwarpgan.storage.object_store import is_remote

HERE = pathlib.Path(__file__).resolve().parent
TLS_FILES = {"server_key": "server.key", "server_certificate": "server.crt", "authority": "ca.crt"}
# The flags of tensorflow_model_server; python -m tfwarpgan.serve takes them too.
FLAGS = (
    "--port=8500",
    "--rest_api_port=8501",
    "--model_config_file=/config/models.config",
    "--model_config_file_poll_wait_seconds=10",
    # At the start no version is there yet that a label could name, and later none for a new canary. A label that is
    # there moves to a loaded version only, with this flag too.
    "--allow_version_labels_for_unavailable_models=true",
    "--enable_batching=true",
    "--batching_parameters_file=/config/batching.config",
    "--monitoring_config_file=/config/monitoring.config",
    "--tensorflow_intra_op_parallelism={cpus}",
    "--tensorflow_inter_op_parallelism={cpus}",
)

TOLERATIONS = "      tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]"
COMPOSE_GPUS = """    deploy:
      resources:
        reservations:
          devices: [{{driver: nvidia, count: {count}, capabilities: [gpu]}}]"""
TRAINING_CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {model}-training
  labels: {{app: {model}-training}}
spec:
  # Data, prepared data and the run, for all workers.
  accessModes: [ReadWriteMany]
  resources:
    requests:
      storage: 100Gi"""
TRAINING_VOLUME = """        - name: training
          persistentVolumeClaim: {{claimName: {model}-training}}"""
# Key, secret and region of an object store, as the environment variables that its client reads.
TRAINING_SECRET = """          envFrom:
            - secretRef: {{name: {model}-training}}"""


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """The training on several machines."""

    training_workers: int = option(2, "Workers, each a pod.", minimum=1, maximum=1000)
    training_gpus: int = option(1, "NVIDIA GPUs per worker.", minimum=0)
    training_cpus: int = option(4, "CPU cores per worker.", minimum=1)
    training_memory_mib: int = option(16384, "Memory per worker, in MiB.", minimum=1024)
    training_failures: int = option(
        100, "Failures, each worker's counted, after which the training is given up.", minimum=0
    )
    training_image: str = option("tfwarpgan:latest", "Image with Python and 'tfwarpgan[cuda]'; build your own.")
    training_flagfile: str = option(str(HERE.parent / "configs" / "people.flags"), "Flagfile of the run.")
    training_dir: str = option(
        "/training", "Folder of data, prepared data and runs: of a volume of all workers, or s3://bucket/folder."
    )

    def __post_init__(self):
        if not re.fullmatch(r"(/|s3://)[\w./-]*[\w-]", self.training_dir):
            raise InputError(f"--training_dir={self.training_dir} must be an absolute path or s3://bucket/folder.")
        if not re.fullmatch(r"[\w.:@/-]+", self.training_image):
            raise InputError(f"--training_image={self.training_image} must be the name of an image.")


@dataclasses.dataclass(frozen=True)
class RenderOptions:
    """What is deployed."""

    model: str = option("people", "Name of the model, and of its folder below --models_dir.")
    stable: int = option(1, "Version of the label 'stable'.", minimum=1)
    canary: int = option(0, "Version of the label 'canary'; 0, or the same as --stable: no such label.", minimum=0)
    image_version: str = option("2.15.1", "Version of the Docker image tensorflow/serving.")
    image_digest: str = option(
        "", "Digest of that image, sha256:...; a tag may be moved to another image, a digest not."
    )
    gpus: int = option(0, "NVIDIA GPUs per server; above 0 the image is the one for GPUs.", minimum=0)
    batch_sizes: str = option("1,2,4,8", "Allowed batch sizes: the --batch_sizes of the export.")
    batch_timeout_ms: float = option(2.0, "Milliseconds that a request waits for others to join its batch.", minimum=0)
    batch_threads: int = option(1, "Batches that run at the same time.", minimum=1)
    enqueued_batches: int = option(8, "Full batches that may wait before requests are refused.", minimum=1)
    cpus: int = option(2, "CPU cores per server.", minimum=1)
    memory_mib: int = option(2048, "Memory per server, in MiB.", minimum=256)
    replicas: int = option(2, "Least number of servers in Kubernetes.", minimum=1)
    max_replicas: int = option(8, "Largest number of servers, as requests wait.", minimum=1)
    slow_seconds: float = option(5.0, "A request that takes longer is slow, for the alerts.", minimum=0.001)
    monitoring_namespace: str = option("monitoring", "Namespace of Prometheus, which may read the metrics.")
    models_dir: str = option("../exported", "Folder of the models on the host, for compose, relative to compose.yaml.")
    tls_dir: str = option("", "Folder with server.key, server.crt and ca.crt (PEM); default: gRPC without TLS.")
    output_dir: str = option("", "Folder for the files; default: that of the template.")

    def __post_init__(self):
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?", self.model):
            raise InputError(f"--model={self.model} must be a name of lower-case letters, digits and hyphens.")
        if not re.fullmatch(r"\d+\.\d+\.\d+(-gpu)?", self.image_version):
            raise InputError(f"--image_version={self.image_version} must be a whole version, such as 2.15.1.")
        if self.image_digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", self.image_digest):
            raise InputError(f"--image_digest={self.image_digest} must be sha256: and 64 hexadecimal digits.")
        if self.max_replicas < self.replicas:
            raise InputError(f"--max_replicas={self.max_replicas} must not be below --replicas={self.replicas}.")
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", self.batch_sizes):
            raise InputError(f"--batch_sizes={self.batch_sizes} must be positive numbers separated by commas.")


def render(options, training=TrainingOptions()):
    """The files of a deployment.

    Returns:
        Dictionary of texts by file name.

    Raises:
        InputError: If a file of --tls_dir or the flagfile cannot be read.
    """
    sections = re.split(r"^#### (\S+)\n", (HERE / "template.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    values, files = {**_values(options), **_training_values(options.model, training)}, {}
    for name, text in zip(sections[::2], sections[1::2]):
        if name.startswith("tls/") and not options.tls_dir:
            continue
        values["configs"] = "\n".join(
            f"  {pathlib.Path(done).name}: |\n{textwrap.indent(content, '    ')}".rstrip()
            for done, content in files.items()
            if done.startswith("config/")
        )
        rendered = string.Template(text).substitute(values)
        files[name] = re.sub(r"\n\n+", "\n", rendered)  # of what this deployment leaves out
    return files


def _values(options):
    sizes = sorted({int(size) for size in options.batch_sizes.split(",")})
    canary = options.canary if options.canary != options.stable else 0
    flags = [flag.format(cpus=options.cpus) for flag in FLAGS]
    flags += ["--ssl_config_file=/tls/ssl.config"] if options.tls_dir else []
    mount = "            - {name: tls, mountPath: /tls, readOnly: true}" if options.tls_dir else ""
    volume = f"        - name: tls\n          secret: {{secretName: {options.model}-tls}}"
    gpu_tag = "-gpu" if options.gpus and not options.image_version.endswith("-gpu") else ""
    digest = f"@{options.image_digest}" if options.image_digest else ""
    return {
        **dataclasses.asdict(options),
        # A new server needs a GPU of its own, which is not there as long as the old one has it.
        "rolling_update": f"{{maxUnavailable: {bool(options.gpus):d}, maxSurge: {not options.gpus:d}}}",
        "kubernetes_tolerations": TOLERATIONS if options.gpus else "",
        "image": f"tensorflow/serving:{options.image_version}{gpu_tag}{digest}",
        "compose_gpus": COMPOSE_GPUS.format(count=options.gpus) if options.gpus else "",
        "kubernetes_gpus": f', nvidia.com/gpu: "{options.gpus}"' if options.gpus else "",
        "slow_micros": round(1e6 * options.slow_seconds),
        "queue_rows": options.enqueued_batches * sizes[-1],
        **(_tls_values(options.tls_dir) if options.tls_dir else {}),
        "versions": " ".join(f"versions: {version}" for version in sorted({options.stable, canary} - {0})),
        "canary_label": f'    version_labels {{ key: "canary" value: {canary} }}' if canary else "",
        "largest_batch": sizes[-1],
        "allowed_batch_sizes": "\n".join(f"allowed_batch_sizes: {size}" for size in sizes),
        "batch_timeout_micros": round(1000 * options.batch_timeout_ms),
        "compose_flags": _listed(flags, 6),
        "kubernetes_flags": _listed(flags, 12),
        "kubernetes_tls_mount": mount,
        "kubernetes_tls_volume": volume if options.tls_dir else "",
        "compose_tls_volume": "      - ./tls:/tls:ro" if options.tls_dir else "",
    }


def _training_values(model, training):
    remote = is_remote(training.training_dir)
    addresses = (f"{model}-training-{index}.{model}-training:2222" for index in range(training.training_workers))
    volume = {
        "claim": TRAINING_CLAIM.format(model=model),
        "volume": TRAINING_VOLUME.format(model=model),
        "mount": f"            - {{name: training, mountPath: {training.training_dir}}}",
        "place": f"          workingDir: {training.training_dir}",  # of the relative paths of the flagfile
    }
    return {
        **dataclasses.asdict(training),
        "training_flagfile": textwrap.indent(_flags_of(training.training_flagfile), "    "),
        "training_addresses": ",".join(addresses),
        "training_tolerations": TOLERATIONS if training.training_gpus else "",
        "training_gpu_limit": f', nvidia.com/gpu: "{training.training_gpus}"' if training.training_gpus else "",
        "training_secret": TRAINING_SECRET.format(model=model) if remote else "",
        **{f"training_{name}": "" if remote else text for name, text in volume.items()},
    }


def _flags_of(flagfile):
    """The flags of a flagfile, without its comments."""
    try:
        lines = pathlib.Path(flagfile).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--training_flagfile={flagfile} cannot be read ({error}).") from None
    return "\n".join(line for line in lines if line.startswith("-"))


def _listed(flags, indentation):
    return "\n".join(f"{' ' * indentation}- {flag}" for flag in flags)


def _tls_values(folder):
    """The contents of the TLS files, as they are quoted in a text proto."""
    values = {}
    for value, name in TLS_FILES.items():
        try:
            text = (pathlib.Path(folder).expanduser() / name).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--tls_dir={folder}: {name} cannot be read ({error}); give it as PEM.") from None
        values[value] = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return values


def main(options, training=TrainingOptions()):
    """Writes the files and names them."""
    folder = pathlib.Path(options.output_dir).expanduser() if options.output_dir else HERE
    for name, text in render(options, training).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if name.startswith("tls/") else 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        print(path)


if __name__ == "__main__":
    run_command(main, RenderOptions, TrainingOptions)
