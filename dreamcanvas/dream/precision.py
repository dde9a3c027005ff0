"""The floating-point type of a network's activations and weights, and what this processor is fastest in. No
TensorFlow here.

bfloat16 halves the bytes and, where the processor multiplies it in hardware (AVX512_BF16, AMX), doubles the
multiplications a second; elsewhere it is emulated and slower than float32.
"""

import platform
from pathlib import Path
from typing import Literal, get_args

from dreamcanvas.errors import DreamError

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Linux' names of the instructions that TensorFlow's oneDNN multiplies bfloat16 with."""

CPUINFO = Path("/proc/cpuinfo")


def resolve(precision: str, cpuinfo: Path = CPUINFO) -> str:
    """Return `float32` or `bfloat16`: auto is bfloat16 where the processor multiplies it in hardware.

    Raises DreamError for any other name.
    """
    if precision not in PRECISIONS:
        raise DreamError(f"precision is {precision!r}; it must be {', '.join(PRECISIONS)}")
    if precision != "auto":
        return precision
    return "bfloat16" if BFLOAT16_FLAGS & processor_flags(cpuinfo) else "float32"


def processor_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """Return the first processor's flags; none where the system does not say."""
    if platform.system() != "Linux":
        return frozenset()
    try:
        lines = cpuinfo.read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())
