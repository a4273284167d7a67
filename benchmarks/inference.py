"""Pictures a second of an exported model, against PyTorch eager, torch.compile and ONNX Runtime.

    python benchmarks/inference.py                                # full size, untrained weights, 128x64
    python benchmarks/inference.py --height=256 --width=256 --batches=1 --rounds=3
    python benchmarks/inference.py --weights=people               # released weights, alone

The export is run in a session, as a server runs it. All take turns in one process, which keeps freed memory as the
service does, and ratios are taken round by round. Medians of the rounds, (lowest to highest); ratios above 1 say that
the export is the faster. PyTorch has the networks of torch_peer.py, and ONNX Runtime the same by torch.onnx. They have
no blocks at every scale as the released weights have, which are measured without them.

Needs `pip install '.[benchmarks]' onnx onnxscript onnxruntime`.
"""

import dataclasses
import functools
import os
import tempfile
import time

from processor import processor
from serving import make_pipeline, numbers, spread

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, option

PEERS = ("eager", "compile", "onnx")


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured."""

    weights: str = option("", "Released weights instead of untrained ones.")
    batches: str = option("1,8", "Batch sizes.")
    rounds: int = option(7, "Measured rounds, after one that is not.", minimum=1)
    threads: int = option(0, "Threads of each; 0: as many as there are processors.", minimum=0)
    peers: str = option(",".join(PEERS), "What the export is compared with: of eager, compile and onnx.")
    keep_weights: bool = option(True, "Let TensorFlow keep weights in the processor's layout, as rendered servers do.")
    for_processors: bool = option(False, "Export wide convolutions as Winograd's.")
    channels_last: bool = option(False, "NHWC tensors in PyTorch.")


def measure(options, benchmark):
    """Prints a block of figures per batch size."""
    import tensorflow as tf

    from tfwarpgan.serving.exporting.check import SavedModelSession, sample_inputs
    from tfwarpgan.serving.exporting.signatures import build_signatures
    from tfwarpgan.serving.service import allocator

    allocator.keep_freed_memory()
    if benchmark.keep_weights:
        os.environ["TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"] = "1"
    threads = benchmark.threads or len(os.sched_getaffinity(0))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    print(f"{processor()}; {threads} threads, TensorFlow {tf.__version__}, {options.data.height}x{options.data.width}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        module, functions = build_signatures(
            make_pipeline(options, benchmark.weights), for_processors=benchmark.for_processors
        )
        tf.saved_model.save(module, path, functions)
        with SavedModelSession(path) as served:
            samples = sample_inputs(options.data.height, options.data.width)
            names = list(served.signatures["serving_default"].inputs)
            for batch in numbers(benchmark.batches):
                inputs = {name: samples[name][[row % len(samples[name]) for row in range(batch)]] for name in names}
                runs = {"export": functools.partial(served, "serving_default", inputs)}
                runs |= peers(options, benchmark, threads, inputs)
                report(batch, turns(runs, benchmark.rounds))


def peers(options, benchmark, threads, inputs):
    """Dictionary, name -> function that answers these inputs once."""
    wanted = benchmark.peers.split(",")
    if benchmark.weights or not benchmark.peers:
        return {}
    import torch
    from torch_peer import TorchPeer
    from torch_served import Served

    print(f"PyTorch {torch.__version__}")
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    sizes = options.data.height, options.data.width
    model = Served(TorchPeer(options.networks, *sizes, channels_last=benchmark.channels_last))
    tensors = [torch.from_numpy(inputs[name]) for name in ("image", "condition_parsing")]
    tensors += [torch.from_numpy(inputs[name]) for name in ("target_keypoints", "target_visible")]
    compiled = torch.compile(model)

    def run(function):
        with torch.inference_mode():
            return function(*tensors)

    made = {"eager": lambda: run(model), "compile": lambda: run(compiled)}
    if "onnx" in wanted:
        made["onnx"] = onnx_runtime(model, tensors, threads)
    return {name: made[name] for name in wanted}


def onnx_runtime(model, tensors, threads):
    """Function that runs a PyTorch model once in ONNX Runtime."""
    from torch_served import save_onnx

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        save_onnx(model, tensors, path)
        session = onnx_session(path, threads)
    feeds = dict(zip([each.name for each in session.get_inputs()], [tensor.numpy() for tensor in tensors]))
    return lambda: session.run(None, feeds)


def onnx_session(path, threads):
    """An ONNX Runtime session whose threads do not spin while others have their turn."""
    import onnxruntime

    print(f"ONNX Runtime {onnxruntime.__version__}")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def turns(runs, rounds):
    """Dictionary, name -> seconds of each round."""
    times = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in times.items()}


def report(batch, times):
    """Prints the rates of one batch size, and how many times faster the export is than each."""
    print(f"batch {batch}")
    for name, seconds in times.items():
        ratio = spread([theirs / ours for theirs, ours in zip(seconds, times["export"])])
        print(f"  {name:8s} {spread([batch / each for each in seconds])} pictures/s, ratio {ratio}", flush=True)


if __name__ == "__main__":
    run_command(measure, Options, BenchmarkOptions, reads_run=True)
