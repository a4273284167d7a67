"""The precision that Keras computes in, chosen by what the machine is fast at."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf
from tensorflow import keras

CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel, AMD; ARM
CPU_INFO = "/proc/cpuinfo"


def policy_of(precision: str) -> str:
    """The name of Keras' policy for `--precision`.

    Args:
        precision: "auto", or a policy's name, which is given back.

    Returns:
        For "auto", "mixed_bfloat16" where the GPUs, or without one this processor, have instructions for bfloat16, else
        "float32".
    """
    if precision != "auto":
        return precision
    return "mixed_bfloat16" if _computes_bfloat16() else "float32"


@contextlib.contextmanager
def built_with(precision: str) -> Iterator[None]:
    """While open, networks are built to compute as `policy_of(precision)` says; those built before are not changed."""
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy_of(precision))
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(policy)


def _computes_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capabilities = [tf.config.experimental.get_device_details(gpu).get("compute_capability") for gpu in gpus]
        return all(capability and capability >= (8, 0) for capability in capabilities)  # Ampere and later
    try:
        with open(CPU_INFO) as file:
            lists = re.findall(r"^(?:flags|Features)\s*:(.*)$", file.read(), re.MULTILINE)
    except OSError:  # not Linux
        return False
    return bool(lists) and all(CPU_FLAGS & set(flags.split()) for flags in lists)
