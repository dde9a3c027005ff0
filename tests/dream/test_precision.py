"""auto is what the processor multiplies fastest."""

from pathlib import Path

import pytest

from dreamcanvas.dream.precision import PRECISIONS, processor_flags, resolve
from dreamcanvas.errors import DreamError


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu sse2 avx2 fma", "float32"),
        ("fpu avx2 avx512f avx512_bf16", "bfloat16"),
        ("fpu avx512f amx_bf16 amx_tile", "bfloat16"),
        ("fpu avx512f avx512_bf16_not", "float32"),
        ("", "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_has_it(tmp_path: Path, flags: str, precision: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nmodel name\t: avx512_bf16\nflags\t\t: {flags}\n")
    assert resolve("auto", cpuinfo) == precision
    assert resolve("float32", cpuinfo) == "float32"
    assert resolve("bfloat16", cpuinfo) == "bfloat16"


def test_where_the_system_does_not_say_it_is_float32(tmp_path: Path) -> None:
    assert resolve("auto", tmp_path / "nothing") == "float32"
    assert processor_flags(tmp_path / "nothing") == frozenset()


def test_another_name_is_an_error() -> None:
    with pytest.raises(DreamError, match="precision is 'half'; it must be auto, float32, bfloat16"):
        resolve("half")
    assert PRECISIONS == ("auto", "float32", "bfloat16")
