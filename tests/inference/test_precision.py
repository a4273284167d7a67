"""--precision=auto: bfloat16 where GPU or processor compute with it."""

import pytest
import tensorflow as tf

from tfwarpgan.inference import precision

INTEL = "processor\t: 0\nflags\t\t: fpu sse2 avx512f {}\n\nprocessor\t: 1\nflags\t\t: fpu sse2 avx512f {}\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd {}\n"


@pytest.mark.parametrize(
    "text, expected",
    [
        (INTEL.format("avx512_bf16", "avx512_bf16"), "mixed_bfloat16"),
        (INTEL.format("amx_bf16 amx_tile", "amx_bf16"), "mixed_bfloat16"),
        (INTEL.format("avx512_bf16", ""), "float32"),  # one core cannot
        (INTEL.format("avx512_vnni", "avx512_vnni"), "float32"),
        (ARM.format("sve bf16"), "mixed_bfloat16"),
        (ARM.format("sve i8mm"), "float32"),
        ("", "float32"),
    ],
)
def test_the_processor_decides(text, expected, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(precision, "CPU_INFO", str(path))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert precision.policy_of("auto") == expected


def test_where_nothing_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "CPU_INFO", str(tmp_path / "missing"))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert precision.policy_of("auto") == "float32"


@pytest.mark.parametrize(
    "capabilities, expected", [([(8, 0), (9, 0)], "mixed_bfloat16"), ([(8, 6), (7, 5)], "float32")]
)
def test_gpus_decide_where_there_are_some(capabilities, expected, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(range(len(capabilities))))
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": capabilities[gpu]}
    )
    assert precision.policy_of("auto") == expected


def test_what_is_asked_for_is_taken():
    assert precision.policy_of("mixed_float16") == "mixed_float16"
