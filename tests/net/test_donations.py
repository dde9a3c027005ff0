"""Where to give: links, and Bitcoin addresses with their checksums."""

import pytest

from dreamcanvas.errors import ConfigError
from dreamcanvas.net.donations import Link, bitcoin_url, check_bitcoin, links

# Of BIP 173, BIP 350, BIP 13 and the first block
GOOD = (
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "1111111111111111111114oLvT2",
    "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "BC1SW50QGDZ25J",
)
BAD = (
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "mistyped"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7Div", "length"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", "'0' does not occur"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "mistyped"),
    ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "upper and lower"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3tb", "'b' does not occur"),
    # BIP 350: Bech32 where it has to be Bech32m, and the other way round
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "mistyped"),
    ("BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "mistyped"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "mistyped"),
    # BIP 350: an unknown version, programs of wrong lengths, padding that is not zero
    ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "program"),
    ("bc1pw5dgrnzv", "length"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", "length"),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "length"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", "program"),
    ("bc1gmk9yu", "length"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "test network"),
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "test network"),
    ("0x52908400098527886E0F7030069857D2E4169EE7", "'0' does not occur"),
)


@pytest.mark.parametrize("address", GOOD)
def test_an_address(address: str) -> None:
    check_bitcoin(address)
    assert bitcoin_url(address) == f"bitcoin:{address}"


@pytest.mark.parametrize(("address", "why"), BAD)
def test_what_is_no_address_says_why(address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"^donate_bitcoin is '{address}'.*{why}"):
        check_bitcoin(address)


@pytest.mark.parametrize("address", [address for address in GOOD if len(address) > 20])
def test_any_one_letter_mistyped_is_found(address: str) -> None:
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if address[:2] in ("bc", "BC") else "23456789ABCDabcd"
    for place in range(4, len(address)):
        for letter in alphabet[:6]:
            typed = letter.upper() if address.isupper() else letter
            if typed != address[place]:
                with pytest.raises(ConfigError):
                    check_bitcoin(address[:place] + typed + address[place + 1 :])


def test_links_have_a_label_and_lead_to_the_web_or_to_mail() -> None:
    assert links(("PayPal = https://paypal.me/x?a=b", "Write=mailto:a@example.org")) == [
        Link("PayPal", "https://paypal.me/x?a=b"),
        Link("Write", "mailto:a@example.org"),
    ]


@pytest.mark.parametrize(
    "text", ["https://paypal.me/x", "=https://x.example", "X=", "X=javascript:alert(1)", "X=https://", "X=/y"]
)
def test_what_is_no_link(text: str) -> None:
    with pytest.raises(ConfigError, match="has to have Label=url"):
        links((text,))
