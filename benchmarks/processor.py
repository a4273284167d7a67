"""The processor that figures were measured on."""

import pathlib
import platform


def processor():
    """The processor's name, and those of its instructions that matter here."""
    information = pathlib.Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    model = next((line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line), "")
    fast = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {name} " in text]
    return f"{model or platform.processor()} ({', '.join(fast)})"
