"""What a layer is, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """A layer: its name, its channels, and its stride in pixels of the picture."""

    name: str
    channels: int
    stride: int
