"""Who a caller is, behind proxies or not."""

from ipaddress import ip_network

import pytest

from dreamcanvas.errors import ConfigError
from dreamcanvas.net.addresses import Proxies, Seen, household, networks, normal, target

TRUSTED = Proxies(("127.0.0.1", "10.0.0.0/8", "::1"))
FOR = {"x-forwarded-for": "198.51.100.7"}
HTTPS_HTTP = {"x-forwarded-proto": "https, http"}


@pytest.mark.parametrize(
    ("peer", "header", "address"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("198.51.100.9", "203.0.113.1", "198.51.100.9"),  # not a proxy of ours: what it says is not believed
        ("127.0.0.1", "203.0.113.1, 198.51.100.7", "198.51.100.7"),  # the left one the caller wrote
        ("127.0.0.1", "198.51.100.7, 10.1.2.3", "198.51.100.7"),  # two proxies of ours
        ("127.0.0.1", "198.51.100.7,,10.1.2.3 , ", "198.51.100.7"),
        ("::1", "[2001:db8::5]", "2001:db8::5"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"),
        ("127.0.0.1", "unknown, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "10.0.0.5", "10.0.0.5"),
        ("", "198.51.100.7", ""),
        ("127.0.0.1", "203.0.113.66:51234", "203.0.113.66"),
        ("127.0.0.1", "[2001:db8::1]:51234", "2001:db8::1"),
        ("127.0.0.1", '"[2001:db8::1]:51234"', "2001:db8::1"),
        ("127.0.0.1", "2001:DB8:0::1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.66", "203.0.113.66"),
        ("127.0.0.1", "[::ffff:203.0.113.66]:80", "203.0.113.66"),
        ("127.0.0.1", "203.0.113.66, 10.0.0.5:4711", "203.0.113.66"),
        ("127.0.0.1", "[2001:db8::1", "127.0.0.1"),
        ("127.0.0.1", "1.2.3.4.5", "127.0.0.1"),
        ("fe80::1%eth0", "203.0.113.66", "fe80::1"),
    ],
)
def test_the_header_is_read_from_the_right(peer: str, header: str, address: str) -> None:
    assert TRUSTED.seen(peer, {"x-forwarded-for": header}).address == address


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "203.0.113.1"])
def test_without_trusted_proxies_nobody_is_believed(peer: str) -> None:
    headers = {
        "host": "a.example",
        "x-forwarded-for": "203.0.113.9",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
    }
    assert Proxies(()).seen(peer, headers) == Seen(normal(peer), "http", "a.example")


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ({"x-forwarded-proto": "https"}, "https", "inner:4242"),
        ({"x-forwarded-proto": "HTTPS", "x-forwarded-host": "canvas.example"}, "https", "canvas.example"),
        ({"x-forwarded-proto": "wss"}, "https", "inner:4242"),
        ({"x-forwarded-proto": "gopher"}, "http", "inner:4242"),
        ({"x-forwarded-host": "canvas.example:8443"}, "http", "canvas.example:8443"),
        ({"x-forwarded-host": "[2001:db8::1]:8443"}, "http", "[2001:db8::1]:8443"),
        ({"x-forwarded-host": '"><script>'}, "http", "inner:4242"),
        # The outer proxy terminates TLS, the inner one appends what it saw
        (FOR | {"x-forwarded-for": "198.51.100.7, 10.0.0.2", **HTTPS_HTTP}, "https", "inner:4242"),
        # The caller wrote the first
        (FOR | HTTPS_HTTP, "http", "inner:4242"),
        (FOR | {"x-forwarded-host": "evil.example, canvas.example"}, "http", "canvas.example"),
    ],
)
def test_scheme_and_host_are_what_the_caller_asked_for(
    headers: dict[str, str], scheme: str, host: str
) -> None:
    seen = TRUSTED.seen("127.0.0.1", {"host": "inner:4242", **headers})
    assert (seen.scheme, seen.host) == (scheme, host)


@pytest.mark.parametrize("text", ["10.0.0.0/99", "10.0.0.1/8", "junk", "*", "localhost", "", "::1/129"])
def test_wrong_networks_are_said(text: str) -> None:
    with pytest.raises(ConfigError, match=r"trusted_proxies: .*such as 127\.0\.0\.1 or"):
        networks((text,))


@pytest.mark.parametrize(
    ("text", "trusted", "not_trusted"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
        ("10.0.0.0/8", "::ffff:10.9.9.9", "::10.9.9.9"),
        ("fd00::/8", "fd00::1%eth0", "fe80::1%eth0"),
    ],
)
def test_a_mapped_network_is_of_ipv4(text: str, trusted: str, not_trusted: str) -> None:
    proxies = Proxies((text,))
    assert proxies.trusts(trusted)
    assert not proxies.trusts(not_trusted)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_subscriber_is_one(address: str, counted_as: str) -> None:
    assert household(address) == counted_as


@pytest.mark.parametrize(
    ("text", "banned"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9/32 ", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::5", "2001:db8::/64"),
        ("2001:db8::/64", "2001:db8::/64"),
        ("2001:db8::5/120", "2001:db8::/64"),
        ("10.0.0.0/8", ip_network("10.0.0.0/8")),
        ("10.1.2.3/8", ip_network("10.0.0.0/8")),
        ("::ffff:10.0.0.0/104", ip_network("10.0.0.0/8")),
        ("2001:db8::/32", ip_network("2001:db8::/32")),
    ],
)
def test_a_ban_is_of_an_address_or_a_network(text: str, banned: object) -> None:
    assert target(text) == banned


@pytest.mark.parametrize(
    "text",
    ["not-an-ip", "", "1.2.3", "1.2.3.4.5", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/7", "::/0", "::/15"],
)
def test_nonsense_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        target(text)
