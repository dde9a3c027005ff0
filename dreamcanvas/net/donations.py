"""Where to give (pure): links as `Label=url`, and a Bitcoin address with its checksum.

Base58Check: https://en.bitcoin.it/wiki/Base58Check_encoding; Bech32 and Bech32m: BIP 173 and BIP 350; the
link: BIP 21.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from dreamcanvas.errors import ConfigError

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_LONGEST: Final = 90  # BIP 173: beyond, a checksum finds less
_CHECKSUM: Final = 6  # letters
_VERSIONS: Final = (0x00, 0x05)  # pay to public key hash, to script hash
_LENGTH: Final = "its length is wrong"
_CHECK: Final = "its checksum is wrong, so that something is mistyped"


@dataclass(frozen=True, slots=True)
class Link:
    """What to call it, and where it leads."""

    label: str
    url: str


def links(settings: tuple[str, ...]) -> list[Link]:
    """Parse the setting `donate_links`. Raises ConfigError where a text is no link."""
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
    """Make the link that opens a wallet (BIP 21)."""
    return f"bitcoin:{address}"


def check_bitcoin(address: str) -> None:
    """Raise ConfigError where the text is no address on Bitcoin's main network, saying what is wrong."""
    if address.lower().startswith("bc1"):
        wrong = _wrong_in_bech32(address)
    elif address.lower().startswith(("tb1", "bcrt1")) or address[:1] in ("m", "n", "2"):
        wrong = "it is of a test network"
    else:
        wrong = _wrong_in_base58(address)
    if wrong is not None:
        raise ConfigError(f"donate_bitcoin is {address!r}, which is no Bitcoin address: {wrong}")


def _wrong_letter(text: str, alphabet: str) -> str | None:
    return next((f"{letter!r} does not occur in one" for letter in text if letter not in alphabet), None)


def _wrong_in_base58(address: str) -> str | None:
    from base58_bech32 import base58  # noqa: PLC0415 - the settings are read without the server's libraries, too

    wrong = _wrong_letter(address, _BASE58)
    if wrong is not None:
        return wrong
    if len(base58.b58decode(address)) != 25:  # a version, 20 bytes of a hash, 4 of a checksum
        return _LENGTH
    try:
        version = base58.b58decode_check(address)[0]
    except ValueError:
        return _CHECK
    return None if version in _VERSIONS else "its version is unknown"


def _wrong_in_bech32(address: str) -> str | None:
    from base58_bech32 import bech32  # noqa: PLC0415 - as above

    if address not in (address.lower(), address.upper()):
        return "it mixes upper and lower case"
    letters = address.lower().removeprefix("bc1")
    wrong = _wrong_letter(letters, _BECH32)
    if wrong is not None:
        return wrong
    if len(letters) <= _CHECKSUM or len(address) > _LONGEST:
        return _LENGTH
    version = _BECH32.index(letters[0])
    kind = bech32.BECH32_1_CONST if version == 0 else bech32.BECH32_M_CONST  # BIP 350
    try:
        values = bech32.bech32_decode(address, m=kind, limit=_LONGEST)[1]
    except ValueError:
        return _CHECK
    try:
        program = bech32.convertbits(values[1:], 5, 8, pad=False)
    except ValueError:  # what is left over is a whole letter, or not zero
        program = []
    if version > 16 or (values[1:] and not program):
        return "its program is wrong"
    fits = len(program) in (20, 32) if version == 0 else 2 <= len(program) <= 40
    return None if fits else _LENGTH
