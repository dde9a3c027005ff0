"""Where a caller is, behind proxies or not."""

import pytest

from dreamcanvas.addresses import client_address, household, networks
from dreamcanvas.errors import ConfigError

TRUSTED = networks(("127.0.0.1", "10.0.0.0/8", "::1"))


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("198.51.100.9", "203.0.113.1", "198.51.100.9"),  # not a proxy of ours: what it says is not believed
        ("127.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),  # the left one the caller wrote
        ("127.0.0.1", "198.51.100.7, 10.1.2.3", "198.51.100.7"),  # two proxies of ours
        ("::1", "[2001:db8::5]", "2001:db8::5"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.5", "10.0.0.5"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_header_is_read_from_the_right(peer: str, header: str, address: str) -> None:
    assert client_address(peer, header, TRUSTED) == address


def test_wrong_networks_are_said() -> None:
    with pytest.raises(ConfigError, match=r"trusted_proxies: .10\.0\.0\.0/99"):
        networks(("10.0.0.0/99",))


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
    ],
)
def test_an_ipv6_subscriber_is_one(address: str, counted_as: str) -> None:
    assert household(address) == counted_as
