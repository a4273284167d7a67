"""Flags of tensorflow_model_server 2.15 without effect here, taken so that either program fits its command line."""

from collections.abc import Iterable
from typing import Any

# By name: the kind of its value, and why.
REASONS: dict[str, tuple[type[Any], str]] = {
    "rest_api_num_threads": (int, "threads follow the connections"),
    "enable_per_model_batching_parameters": (bool, "--batching_parameters_file is for all models"),
    "num_load_threads": (int, "versions are loaded one after the other, while requests go on"),
    "num_unload_threads": (int, "versions are unloaded one after the other, while requests go on"),
    "max_num_load_retries": (int, "a version that failed is loaded again once its folder changes"),
    "load_retry_interval_micros": (int, "a version that failed is loaded again once its folder changes"),
    "flush_filesystem_caches": (bool, "the system's caches are left to it"),
    "use_alts_credentials": (bool, "--ssl_config_file alone encrypts gRPC"),
    "platform_config_file": (str, "there is one platform, tensorflow"),
    "grpc_max_threads": (int, "the bounds on requests say how many threads there are"),
    "remove_unused_fields_from_bundle_metagraph": (bool, "no meta graph is kept"),
    "prefer_tflite_model": (bool, "only SavedModels are loaded"),
    "num_tflite_pools": (int, "only SavedModels are loaded"),
    "num_tflite_interpreters_per_pool": (int, "only SavedModels are loaded"),
    "enable_signature_method_name_check": (bool, "the method of a signature is never compared"),
    "xla_cpu_compilation_enabled": (bool, "XLA is as TensorFlow has it"),
    "enable_profiler": (bool, "--profile_port opens the profiler"),
    "thread_pool_factory_config_file": (str, "sessions have their own threads"),
    "mixed_precision": (str, "graphs run as they were exported"),
    "skip_initialize_tpu": (bool, "there is no TPU"),
    "enable_grpc_healthcheck_service": (bool, "health is always answered"),
}


def warning(given: Iterable[str]) -> str:
    """The sentence about those of the flags that were given; empty where there are none."""
    named = [f"--{name} ({REASONS[name][1]})" for name in given]
    return f"Flags without effect here are ignored: {', '.join(named)}." if named else ""
