"""Where to give (pure): links as `Label=url`, and a Bitcoin address with its checksum.

Base58Check: https://en.bitcoin.it/wiki/Base58Check_encoding; Bech32 and Bech32m: BIP 173 and BIP 350; the
link: BIP 21.
"""

import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from dreamcanvas.errors import ConfigError

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CHECK: Final = 1
_BECH32M_CHECK: Final = 0x2BC830A3
_PREFIX: Final = (3, 3, 0, 2, 3)  # "bc", expanded
_VERSIONS: Final = (0x00, 0x05)  # pay to public key hash, to script hash


@dataclass(frozen=True, slots=True)
class Link:
    """What to call it, and where it leads."""

    label: str
    url: str


def links(settings: tuple[str, ...]) -> list[Link]:
    """The links of the setting `donate_links`. Raises ConfigError where one is none."""
    return [_link(text) for text in settings]


def _link(text: str) -> Link:
    label, equals, url = (part.strip() for part in text.partition("="))
    try:
        parts = urlsplit(url)
        named = parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:  # an address in brackets that do not close, a port above 65535
        raise ConfigError(f"donate_links has {text!r}, whose url is none") from None
    whole = (parts.scheme in ("http", "https") and named) or (parts.scheme == "mailto" and parts.path)
    if not (label and equals and whole):
        raise ConfigError(
            f"donate_links has {text!r}, but has to have Label=url, "
            "the url beginning with https://, http:// or mailto:"
        )
    return Link(label, url)


def bitcoin_url(address: str) -> str:
    """The link that opens a wallet."""
    return f"bitcoin:{address}"


def check_bitcoin(address: str) -> None:
    """Raises ConfigError where the text is no address on Bitcoin's main network, saying what is wrong."""
    if address.lower().startswith("bc1"):
        wrong = _wrong_in_bech32(address)
    elif address.lower().startswith(("tb1", "bcrt1")) or address[:1] in ("m", "n", "2"):
        wrong = "it is of a test network"
    else:
        wrong = _wrong_in_base58(address)
    if wrong is not None:
        raise ConfigError(f"donate_bitcoin is {address!r}, which is no Bitcoin address: {wrong}")


def _wrong_in_base58(address: str) -> str | None:
    number = 0
    for letter in address:
        digit = _BASE58.find(letter)
        if digit < 0:
            return f"{letter!r} does not occur in one"
        number = 58 * number + digit
    zeros = len(address) - len(address.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) != 25:
        return "its length is wrong"
    if hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] != data[-4:]:
        return "its checksum is wrong, so that something is mistyped"
    return None if data[0] in _VERSIONS else "its version is unknown"


def _wrong_in_bech32(address: str) -> str | None:
    if address not in (address.lower(), address.upper()):
        return "it mixes upper and lower case"
    rest = address.lower().removeprefix("bc1")
    values = [_BECH32.find(letter) for letter in rest]
    if -1 in values:
        return f"{rest[values.index(-1)]!r} does not occur in one"
    if len(values) < 7 or len(address) > 90:
        return "its length is wrong"
    version = values[0]
    if _checksum([*_PREFIX, *values]) != (_BECH32_CHECK if version == 0 else _BECH32M_CHECK):
        return "its checksum is wrong, so that something is mistyped"
    return _wrong_in_program(version, values)


def _wrong_in_program(version: int, values: list[int]) -> str | None:
    bits = 5 * (len(values) - 7)
    padding = bits % 8
    length = bits // 8
    if version > 16 or padding > 4 or values[-7] & ((1 << padding) - 1):
        return "its program is wrong"
    if not 2 <= length <= 40 or (version == 0 and length not in (20, 32)):
        return "its length is wrong"
    return None


def _checksum(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum
