"""What the embedded service costs beside a bare session run, and what batching gains: figures with their spread.

    python benchmarks/serving.py                                     # full size, untrained weights, minutes
    python benchmarks/serving.py --weights=people --seconds=2        # released weights
    python benchmarks/serving.py --saved_model=exported/people/1

Latency: one caller, who asks the bare session and the service in turns, over gRPC and over REST, so that what else the
machine does falls on both. Throughput: 1 to 32 callers of one row each against the batching service, and the bare
session on batches as large as so many callers can fill, in turns too. Then what importing the client takes, beside
TensorFlow. Medians of the rounds, (lowest to highest).
"""

import base64
import concurrent.futures
import contextlib
import dataclasses
import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, option

SIGNATURES = ("serving_default", "encoded")
LIMIT = 600.0  # seconds; a benchmark's call may be slow, but not endless
MEMORY = (
    "import time; start = time.perf_counter()\nimport {module}\n"
    "seconds = time.perf_counter() - start\n"
    "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
    "print(seconds, peak)"
)


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured."""

    saved_model: str = option("", "Folder of an exported version; default: untrained networks of the other flags.")
    weights: str = option("", "Released weights instead of untrained ones.")
    batches: str = option("1,8", "Batch sizes for the latencies.")
    calls: int = option(20, "Calls per round, for the latencies.", minimum=1)
    rounds: int = option(5, "Rounds; each gives one ratio.", minimum=1)
    clients: str = option("1,2,4,8,16,32", "Numbers of simultaneous callers; empty: no throughputs.")
    seconds: float = option(10.0, "Seconds per round, for the throughputs.", minimum=0.1)
    max_batch: int = option(8, "Largest batch of the batching server and of the bare session.", minimum=1)
    batch_threads: int = option(2, "Batches that the batching server runs at the same time.", minimum=1)
    batch_timeout_ms: float = option(2.0, "Milliseconds that a batch waits for more rows.", minimum=0)
    bare_keeps_memory: bool = option(False, "Let the bare session's process keep freed memory, as the server does.")
    output: str = option("", "JSON file for the figures; default: they are only printed.")


def numbers(text):
    """A flag such as "1,8" as numbers."""
    return [int(part) for part in text.split(",") if part]


def spread(values, digits=2):
    """Median (lowest to highest)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def percentile(values, share):
    """The value below which a share of the values lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def make_pipeline(options, weights):
    """The `WarpingGAN` of released weights; without a name, of untrained networks of the options' sizes."""
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.models import build
    from tfwarpgan.models.warping_gan import WarpingGAN

    if weights:
        return load_pipeline(options, weights, for_new_images=True)
    names = ("pose_guided_parser", "geometric_matcher", "warping_generator")
    untrained = {name: getattr(build, name)(options) for name in names}
    # Scores of labels that differ by rounding only would fall to either one, another picture each time.
    scores = untrained["pose_guided_parser"].decoder.head.output_convolution.convolution
    scores.bias.assign([float(label) for label in range(scores.bias.shape[0])])
    return WarpingGAN(untrained, options.data)


@contextlib.contextmanager
def exported(options, benchmark, folder):
    """Path of the SavedModel to measure."""
    if benchmark.saved_model:
        yield os.path.abspath(os.path.expanduser(benchmark.saved_model))
        return
    from tfwarpgan.serving.exporting.publish import publish

    pipeline = make_pipeline(options, benchmark.weights)
    path, _ = publish(pipeline, os.path.join(folder, "model"), batch_sizes=numbers(benchmark.batches))
    yield path


@contextlib.contextmanager
def service(path, *flags):
    """(addresses of gRPC and REST, process number) of the embedded service of a SavedModel, a process of its own."""
    ports = ["--port=0", "--rest_api_port=-1"]
    command = [sys.executable, "-u", "-m", "tfwarpgan.serve", *ports, "--model_name=model", *flags]
    process = subprocess.Popen(
        [*command, f"--model_base_path={os.path.dirname(path)}"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline().split() for _ in range(2)]
        if not all(lines):
            raise RuntimeError("The service has not started.")
        yield [line[-1] for line in lines], process.pid
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


class RestClient:
    """Asks over REST as `Client` does over gRPC; the answers are lists."""

    def __init__(self, address):
        url = urllib.parse.urlsplit(address)
        self.connection, self.path = http.client.HTTPConnection(url.netloc, timeout=LIMIT), f"{url.path}model:predict"

    def predict(self, inputs, signature, timeout):
        """The outputs by name."""
        del timeout
        body = {"signature_name": signature, "inputs": {name: self._listed(array) for name, array in inputs.items()}}
        self.connection.request("POST", self.path, json.dumps(body))
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(content["error"])
        return content["outputs"]

    def _listed(self, array):
        if array.dtype.kind not in "OS":
            return array.tolist()
        return [{"b64": base64.b64encode(value).decode()} for value in array]


def memory(process):
    """Peak MiB of a process; Linux."""
    with open(f"/proc/{process}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


def latencies(served, client, name, inputs, benchmark):
    """Milliseconds of the bare session and of the service, call by call in turns: two lists for each round."""
    ways = (lambda: served(name, inputs), lambda: client.predict(inputs, name, timeout=LIMIT))
    for way in ways:
        way()  # what is first made is not measured
    rounds = []
    for _ in range(benchmark.rounds):
        times = ([], [])
        for _ in range(benchmark.calls):
            for way, found in zip(ways, times):
                start = time.perf_counter()
                way()
                found.append(1000 * (time.perf_counter() - start))
        rounds.append(times)
    return rounds


def report_latency(title, rounds):
    """Prints latencies and overhead; returns them."""
    figures = {}
    for share, label in ((0.5, "p50"), (0.99, "p99")):
        bare, served = ([percentile(times[way], share) for times in rounds] for way in (0, 1))
        overhead = [100 * (of / to - 1) for of, to in zip(served, bare)]
        figures[label] = {"bare_ms": bare, "service_ms": served, "overhead_percent": overhead}
        print(
            f"{title}, {label}: bare {spread(bare)} ms, service {spread(served)} ms, "
            f"overhead {spread(overhead, 1)} %, {spread([a - b for a, b in zip(served, bare)])} ms"
        )
    return figures


def bare_rate(served, inputs, seconds):
    """Rows per second of the bare session on these inputs."""
    rows, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds or not rows:
        served("serving_default", inputs)
        rows += len(inputs["image"])
    return rows / passed if passed else 0.0


def service_rate(target, inputs, callers, seconds):
    """Rows a second of the service with callers of one row each, each with a connection of its own."""
    from tfwarpgan.serving.client import Client

    connected = threading.Barrier(callers)

    def call(_):
        with Client(target, "model", timeout=LIMIT) as client:
            client.wait_until_ready()
            connected.wait()
            times = [time.perf_counter()]
            while times[-1] < times[0] + seconds or len(times) == 1:
                client.predict(inputs, "serving_default")
                times.append(time.perf_counter())
        return times

    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        found = list(pool.map(call, range(callers)))
    rows = sum(len(times) - 1 for times in found)
    return rows / (max(times[-1] for times in found) - min(times[0] for times in found))


def throughput(path, served, rows, benchmark, folder):
    """Prints rows per second by number of callers beside the bare session; returns them."""
    parameters = os.path.join(folder, "batching.config")
    sizes = sorted({1, benchmark.max_batch, *(2**n for n in range(10) if 2**n < benchmark.max_batch)})
    with open(parameters, "w") as file:
        file.write(f"max_batch_size {{ value: {benchmark.max_batch} }}\n")
        file.write(f"num_batch_threads {{ value: {benchmark.batch_threads} }}\n")
        file.write(f"batch_timeout_micros {{ value: {round(1000 * benchmark.batch_timeout_ms)} }}\n")
        file.write("max_enqueued_batches { value: 64 }\n")
        file.write("\n".join(f"allowed_batch_sizes: {size}" for size in sizes))
    one, figures = rows(1), {}
    with service(path, "--enable_batching=true", f"--batching_parameters_file={parameters}") as ((target, _), process):
        service_rate(target, one, max(numbers(benchmark.clients)), 0.1)
        for callers in numbers(benchmark.clients):
            size = min(callers, benchmark.max_batch)  # callers wait for their answers: no more rows are there at once
            batch, bare, found = rows(size), [], []
            for _ in range(benchmark.rounds):
                bare.append(bare_rate(served, batch, benchmark.seconds / 2))
                found.append(service_rate(target, one, callers, benchmark.seconds))
            ratios = [of / to for of, to in zip(found, bare)]
            figures[callers] = {"bare_rows_per_s": bare, "service_rows_per_s": found, "ratio": ratios}
            print(
                f"{callers} callers: service {spread(found)} rows/s, bare session on batches of {size} {spread(bare)}, "
                f"ratio {spread(ratios)}",
                flush=True,
            )
        print(f"memory of the batching service: peak {memory(process):.0f} MiB")
    return figures


def imports(rounds):
    """Prints seconds and peak MiB of importing the client, and TensorFlow, each in new processes; Linux."""
    figures = {}
    for module in ("tfwarpgan.serving.client", "tensorflow"):
        outputs = [
            subprocess.run(
                [sys.executable, "-c", MEMORY.format(module=module)], capture_output=True, text=True, check=True
            ).stdout.split()
            for _ in range(rounds)
        ]
        seconds = [float(output[0]) for output in outputs]
        memory = [float(output[1]) / 1024 for output in outputs]
        figures[module] = {"seconds": seconds, "peak_mib": memory}
        print(f"import {module}: {spread(seconds)} s, {spread(memory, 0)} MiB")
    return figures


def measure(options, benchmark):
    """Measures, prints, and writes the figures."""
    from tfwarpgan.serving.client import Client
    from tfwarpgan.serving.exporting.check import SavedModelSession, sample_inputs
    from tfwarpgan.serving.service import allocator

    if benchmark.bare_keeps_memory:
        allocator.keep_freed_memory()
    figures = {"imports": imports(benchmark.rounds)}
    with (
        tempfile.TemporaryDirectory() as folder,
        exported(options, benchmark, folder) as path,
        SavedModelSession(path) as served,
    ):
        image = served.signatures["serving_default"].inputs["image"].tensor_shape
        samples = sample_inputs(*(dim.size for dim in image.dim[1:3]))

        def rows(count, name="serving_default"):
            return {key: samples[key][[row % 3 for row in range(count)]] for key in served.signatures[name].inputs}

        with service(path) as ((target, rest), process), Client(target, "model", timeout=LIMIT) as client:
            figures["memory"] = {"loaded": memory(process)}
            for way, caller in (("", client), ("REST, ", RestClient(rest))):
                for name, size in itertools.product(SIGNATURES, numbers(benchmark.batches)):
                    rounds = latencies(served, caller, name, rows(size, name), benchmark)
                    title = f"{way}{name}, batch {size}"
                    figures[title] = report_latency(title, rounds)
                    figures["memory"][title] = memory(process)
            print("memory of the service, peak MiB:", ", ".join(f"{k} {v:.0f}" for k, v in figures["memory"].items()))
        if numbers(benchmark.clients):
            figures["throughput"] = throughput(path, served, rows, benchmark, folder)
    if benchmark.output:
        with open(benchmark.output, "w") as file:
            json.dump(figures, file, indent=2)


if __name__ == "__main__":
    run_command(measure, Options, BenchmarkOptions, reads_run=True)
