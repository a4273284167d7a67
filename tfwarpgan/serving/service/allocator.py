"""The C library's allocator, set for a process that does the same large work again and again."""

import ctypes
import platform

# Names and numbers of glibc's malloc.h, see mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
NEVER = 2**31 - 1


def keep_freed_memory():
    """Has the process keep memory that it frees, for its next allocation, in place of giving it back to the system.

    Each run of a model allocates its activations, and every convolution's weights in another layout. By default glibc
    maps such blocks afresh, and the kernel fills them with zeros page by page: a third of the time of a full-size run
    of one row. Kept, they are there at once, and the peak grows little.

    It holds for threads that have not allocated anything yet, so call it first. Without glibc it does nothing.

    Returns:
        Whether the allocator has taken it.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # One arena, since those of threads are of 64 MiB, and larger blocks are mapped whatever else is set.
    wanted = ((M_ARENA_MAX, 1), (M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, NEVER))
    return all([mallopt(parameter, value) == 1 for parameter, value in wanted])
