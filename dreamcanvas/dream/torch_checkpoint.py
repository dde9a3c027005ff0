"""Read a legacy PyTorch checkpoint without PyTorch.

The format (`torch.save` before 1.6): five pickles one after another (magic number, protocol version, system
information, the state dict, the list of storage keys), then, for each key in that order, the number of its
elements as a little-endian int64 and the elements. A tensor of the state dict is (storage, offset, shape,
strides), in elements.

A pickle can run code. This reader allows the four names that a state dict of float and int64 tensors needs
and refuses every other; the caller gives the SHA-256 that the file must have besides.
"""

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.errors import DreamError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001

Checkpoint = Mapping[str, NDArray[Any]]
"""Tensors by name."""

_STORAGE_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    elements: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Four names and storages; anything else is an error."""

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGE_TYPES:
            return _STORAGE_TYPES[name]
        raise DreamError(f"the weights ask for {module}.{name}, which is not allowed")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", np.dtype() as dtype, str(key), str(), int(elements), None) if elements >= 0:
                return _Storage(key, dtype, elements)
        raise DreamError("the weights hold a storage of an unknown form")


def read_checkpoint(data: bytes, sha256: str) -> Checkpoint:
    """Return the tensors of a legacy checkpoint by name, in their own shapes and dtypes (float32, int64).

    Raises DreamError where the digest (hexadecimal) differs or the file is not such a checkpoint.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise DreamError(f"the weights have SHA-256 {found}, not {sha256}")
    return parse_checkpoint(data)


def parse_checkpoint(data: bytes) -> Checkpoint:
    """`read_checkpoint` without the digest."""
    stream = BytesIO(data)
    try:
        magic, protocol, system, state, keys = (_Unpickler(stream).load() for _ in range(5))
        if magic != MAGIC_NUMBER or protocol != PROTOCOL_VERSION:
            raise DreamError("the weights are no legacy PyTorch checkpoint")
        if not system["little_endian"]:
            raise DreamError("the weights are big-endian")
        storages = _read_storages(stream, keys, {t.storage.key: t.storage for t in state.values()})
        return {name: _view(tensor, storages[tensor.storage.key]) for name, tensor in state.items()}
    except (pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise DreamError(f"the weights cannot be read: {error}") from error


def _read_storages(
    stream: BytesIO, keys: list[str], declared: Mapping[str, _Storage]
) -> Mapping[str, NDArray[Any]]:
    storages = {}
    for key in keys:
        storage = declared[key]
        count = int.from_bytes(stream.read(8), "little")
        if count != storage.elements:
            raise DreamError(f"the weights' storage {key} has {count} elements, not {storage.elements}")
        storages[key] = np.frombuffer(stream.read(count * storage.dtype.itemsize), storage.dtype, count)
    return storages


def _view(tensor: _Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.shape, *tensor.strides)) < 0 or last >= storage.size:
        raise DreamError("the weights hold a tensor that reaches beyond its storage")
    strides = tuple(stride * storage.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
