"""What a process frees it finds again."""

import platform
import subprocess
import sys

import pytest

PAGE_FAULTS = """
import ctypes, resource, threading

from tfwarpgan.serving.service import allocator

KEEPS = {keeps}
assert not KEEPS or allocator.keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]


def work():
    blocks = [libc.malloc(2**size) for size in (12, 20, 24, 26, 26)]
    for block, size in zip(blocks, (12, 20, 24, 26, 26)):
        ctypes.memset(block, 1, 2**size)
        libc.free(block)


for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_freed_memory_is_found_again(root):
    def faults(keeps):
        command = [sys.executable, "-c", PAGE_FAULTS.format(keeps=keeps)]
        return list(map(int, subprocess.check_output(command, cwd=root, text=True).split()))

    pages = 2 * 2**26 // 4096
    assert faults(False)[-1] > pages / 2  # else the kernel or the library does it already, and ours could go
    assert faults(True)[0] > pages / 2 and faults(True)[-1] < 1000
