"""A legacy PyTorch checkpoint is read without PyTorch, and runs no code."""

import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dreamcanvas.dream.torch_checkpoint import (
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    parse_checkpoint,
    read_checkpoint,
)
from dreamcanvas.errors import DreamError


class Named:
    """Pickles as a name of a module that need not be there."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class StorageReference:
    def __init__(self, *pid: object) -> None:
        self.pid = pid


class Call:
    """Pickles as a call of a name."""

    def __init__(self, function: Named, *arguments: object) -> None:
        self.function, self.arguments = function, arguments


PythonPickler: Any = pickle._Pickler


class Pickler(PythonPickler):  # type: ignore[misc]
    """Writes names and calls without having the modules."""

    def persistent_id(self, obj: object) -> object:
        return obj.pid if isinstance(obj, StorageReference) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Named):
            self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


FLOATS = Named("torch", "FloatStorage")
REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(key: str, elements: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    storage = StorageReference("storage", FLOATS, key, "cpu", elements, None)
    return Call(REBUILD, storage, offset, shape, strides, False, OrderedDict())


def checkpoint(state: Mapping[str, object], storages: dict[str, bytes], magic: int = MAGIC_NUMBER) -> bytes:
    stream = io.BytesIO()
    system = {"protocol_version": PROTOCOL_VERSION, "little_endian": True}
    for part in (magic, PROTOCOL_VERSION, system, OrderedDict(state), list(storages)):
        Pickler(stream, 2).dump(part)
    return stream.getvalue() + b"".join(storages.values())


SIX = (6).to_bytes(8, "little") + np.arange(6, dtype="<f4").tobytes()


def test_a_tensor_is_a_strided_view_of_its_storage() -> None:
    state = {"rows": tensor("7", 6, 0, (2, 3), (3, 1)), "columns": tensor("7", 6, 1, (2, 2), (1, 2))}
    weights = parse_checkpoint(checkpoint(state, {"7": SIX}))
    assert weights["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["columns"].tolist() == [[1, 3], [2, 4]]
    assert weights["rows"].dtype == np.float32


@pytest.mark.parametrize(
    "name", [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("numpy", "ndarray")]
)
def test_any_other_name_is_refused(name: tuple[str, str]) -> None:
    with pytest.raises(DreamError, match=rf"{name[0]}\.{name[1]}, which is not allowed"):
        parse_checkpoint(checkpoint({"x": Call(Named(*name), "true")}, {}))


def test_a_tensor_beyond_its_storage_is_refused() -> None:
    with pytest.raises(DreamError, match="beyond its storage"):
        parse_checkpoint(checkpoint({"x": tensor("7", 6, 1, (2, 3), (3, 1))}, {"7": SIX}))


def test_a_storage_of_another_length_is_refused() -> None:
    with pytest.raises(DreamError, match="storage 7 has 6 elements, not 5"):
        parse_checkpoint(checkpoint({"x": tensor("7", 5, 0, (5,), (1,))}, {"7": SIX}))


@pytest.mark.parametrize("length", [0, 10, 40, 150, -1])
def test_a_truncated_file_is_refused(length: int) -> None:
    whole = checkpoint({"x": tensor("7", 6, 0, (6,), (1,))}, {"7": SIX})
    with pytest.raises(DreamError):
        parse_checkpoint(whole[:length])


def test_another_magic_number_is_refused() -> None:
    with pytest.raises(DreamError, match="no legacy PyTorch checkpoint"):
        parse_checkpoint(checkpoint({}, {}, magic=1))


def test_the_digest_is_checked_first() -> None:
    with pytest.raises(DreamError, match="SHA-256"):
        read_checkpoint(b"anything", "0" * 64)
