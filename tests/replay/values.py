"""Requests of every method: good ones, and for each field values of the wrong type and beyond its bounds."""

from typing import Any, Final

POS: Final = {"x": 700, "y": 650}
# Of each method a good request, from which others are made by putting another value into a field
BASES: Final[dict[str, dict[str, Any]]] = {
    "paint": {"pos": POS, "size": 9, "color": 0x336699, "stroke": 2},
    "getCanvas": {"offset": {"x": 5, "y": 6}, "width": 16, "height": 12, "format": "PNG"},
    "undo": {"stroke": 99},
    "cursor": {"pos": POS, "down": True, "color": 0x00FF00, "name": "Ada"},
    "getInfo": {},
    "getHistory": {"before": 1767600000000, "limit": 2},
    "getFrame": {"dream": 7, "time": 1767600000000},
    "admin.state": {},
    "admin.readOnly": {"on": False},
    "admin.nextStyle": {},
    "admin.rest": {"on": False},
    "admin.announce": {"text": "Hello", "seconds": 0},
    "admin.who": {"x": 690, "y": 640, "width": 40, "height": 40, "seconds": 1000000},
    "admin.restore": {"region": {"x": 10, "y": 10, "width": 20, "height": 20}, "dream": 30},
    "admin.ban": {"address": "203.0.113.0/24", "seconds": 3600, "reason": "Too loud", "authorOnly": False},
    "admin.unban": {"ban": 9999},
    "admin.bans": {},
    "admin.acts": {"limit": 3},
}
MORE_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "paint": {"dabs": [{"pos": POS, "size": 3}], "call": 0, "x": 1},
    "undo": {"call": 0},
    "getInfo": {"anything": 1},
    "admin.restore": {"authors": [77], "address": "192.0.2.200", "time": 5},
    "admin.who": {"time": 1767600000000},
    "admin.ban": {"author": 77},
}
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, "", "x", "5", " 7", "1e2", 1.5, 1e3, 0, -1, 124, 125, 1536, 65535, 65536, -65535, -65536),
    *(
        2**24 - 1,
        2**24,
        2**31 - 1,
        2**31,
        -(2**31) - 1,
        2**32 - 1,
        2**32,
        2**53,
        2**63,
        2**64,
        [],
        [1],
        {},
        {"x": 1},
    ),
)
# An announcement that ends is taken away when the server next looks: not to be known when
LASTING: Final[tuple[Any, ...]] = (None, True, "x", 1.5, -1, 0, 10**6, 315360000, 315360001, 2**32, [], {})
UNLISTED: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        "",
        "x",
        "5",
        "PNG",
        "png",
        " 7",
        "1e2",
        1.5,
        1e3,
        0,
        -1,
        3,
        124,
        65536,
        2**31 - 1,
        [],
        [1],
        {},
    ),
)


def with_wrong_fields(method: str) -> list[dict[str, Any]]:
    """The good request with each value of WRONG in the place of each of its fields."""
    found = []
    base = BASES[method]
    for name, good in {**base, **MORE_FIELDS.get(method, {})}.items():
        wrong = LASTING if (method, name) == ("admin.announce", "seconds") else WRONG
        if name == "dabs":
            found += [
                {"dabs": value} for value in (*wrong, good, good * 257, [*good, {}], [*good, {"pos": {}}])
            ]
            found += [{**base, "dabs": good}]
        else:
            found += [{**base, name: value} for value in (UNLISTED if name == "format" else wrong)]
        if isinstance(good, dict):
            found += [{**base, name: {**good, inner: value}} for inner in good for value in wrong]
    found += [{key: value for key, value in base.items() if key != name} for name in base]
    return found


def wrong_dabs() -> list[dict[str, Any]]:
    """Dabs that are wrong in one place, and so refused with all before them."""
    fields = (
        ("size", (0, 125, "x", None)),
        ("color", (-1, 2**24, "red")),
        ("pos", (None, {"x": 65536}, {"y": -65536})),
    )
    good = {"pos": POS, "size": 5, "color": 1}
    return [
        {"dabs": [good] * place + [{**good, name: value}] + [good]}
        for place in (0, 1, 3, 11)
        for name, values in fields
        for value in values
    ]


BINARY: Final[tuple[tuple[str, bytes], ...]] = (
    ("paint", b""),
    ("paint", b"\xff"),
    ("paint", b"\x0a\x02\x08"),
    ("paint", b"\x0a\x00\x10\x05"),
    ("paint", b"\x0a\x00\x10\x00"),
    ("paint", b"\x0a\x00\x10\x7d"),
    ("paint", b"\x0a\x00\x10\x7c"),
    ("paint", b"\x0a\x00\x10\x05\x18\x80\x80\x80\x08"),
    ("paint", b"\x0a\x04\x08\x80\x80\x04\x10\x05"),
    ("paint", b"\x0a\x0b\x08\x80\x80\xfc\xff\xff\xff\xff\xff\xff\x01\x10\x05"),
    ("paint", b"\x0a\x00\x10\x05\xa0\x06\x01"),
    ("paint", b"\x0a\x00\x10\x05\x52\x04\x0a\x00\x10\x05"),
    ("paint", b"\x52\x04\x0a\x00\x10\x05\x52\x02\x0a\x00"),
    ("paint", b"\x52\x04\x0a\x00\x10\x05\x52\x02\x10\x05"),
    ("paint", b"\x0a\x00\x10\x05\x60\x01"),
    ("paint", b"\x08\x05\x10\x05"),
    ("paint", b"\x0a\x00\x12\x01a"),
    ("paint", b"{}"),
    ("getCanvas", b""),
    ("getCanvas", b"\x10\x04\x18\x04"),
    ("getCanvas", b"\x10\x04\x18\x04\x50\x03"),
    ("getCanvas", b"\x10\x04\x18\x04\x50\x07"),
    ("getCanvas", b"\x10\x04\x18\x04\x50\x01\x50\x02"),
    ("getCanvas", b"\x10\x00\x18\x04"),
    ("getCanvas", b"\x10\x81\x0c\x18\x04"),
    ("getCanvas", b"\x0a\x02\x08\xff\x10\x04\x18\x04"),
    ("getCanvas", b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x04\x18\x04"),
    ("undo", b""),
    ("undo", b"\x08\x00"),
    ("undo", b"\x08\x63\x10\x01"),
    ("undo", b"\x0d\x00\x00\x00\x00"),
    ("cursor", b""),
    ("cursor", b"\x0a\x00"),
    ("cursor", b"\x0a\x00\x22\x02\xc3\xa4"),
    ("cursor", b"\x0a\x00\x22\x01\x0a"),
    ("cursor", b"\x0a\x00\x22\x29" + b"a" * 41),
    ("cursor", b"\x0a\x00\x22\x03\xe2\x80\x8b"),
    ("cursor", b"\x0a\x04\x08\x80\x80\x04"),
    ("getInfo", b"\x08\x01"),
    ("getInfo", b"\x07"),
    ("getHistory", b"\x10\xf5\x03"),
    ("getHistory", b"\x10\xf4\x03"),
    ("getHistory", b"\x08\x01"),
    ("getFrame", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    ("getFrame", b"\x10\x01"),
    ("getFrame", b"\x08\x63"),
    ("subscribe", b"\x0a\x03dog"),
    ("subscribe", b"\x22\x01a"),
    ("subscribe", b"\x22\x21" + b"a" * 33),
    ("nothing", b""),
    ("", b""),
    ("PAINT", b""),
    ("Getinfo", b""),
    ("get%sInfo", b""),
    ("é", b""),
    ("a" * 300, b""),
    ("rpc.discover", b""),
    ("admin.nothing", b""),
    ("GetInfo", b""),
    ("Admin.state", b""),
    ("admin.State", b""),
)
NO_REQUESTS: Final = (
    *(
        b"",
        b"\x00",
        b"\xff\xff",
        b"\x08\x01",
        b"\x08\x02\x1a\x04\x08\x01\x10\x01",
        b"\x08\x03\x22\x02\x0a\x00",
    ),
    *(
        b"\x08\x01\x12\x00",
        b"\x08\x01\x12\x02\x10\x01",
        b"\x12\x09\x0a\x05paint\x10\x01",
        b"\x08\x01\x12\x07\x0a\x05paint",
    ),
    *(b"\x08\x09\x12\x09\x0a\x05paint\x10\x01", b"hello", b"\x08\x01\x12\x7f"),
)
# JSON texts that are answered though they are no calls, or hardly
NO_CALLS: Final = (
    *(
        "",
        " ",
        "{",
        "nope",
        "[",
        "]",
        '"text"',
        "5",
        "null",
        "true",
        "{}",
        "[]",
        "[[]]",
        "[1]",
        "[1,2,[]]",
        "[{}]",
    ),
    *('{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":"1.0","id":1,"method":"getInfo"}'),
    *('{"id":1,"method":"getInfo"}', '{"jsonrpc":2.0,"id":1,"method":"getInfo"}'),
    *('{"jsonrpc":"2.0","id":1,"method":5}', '{"jsonrpc":"2.0","id":1,"method":null}'),
    *('{"jsonrpc":"2.0","id":{},"method":"getInfo"}', '{"jsonrpc":"2.0","id":[1],"method":"getInfo"}'),
    *('{"jsonrpc":"2.0","id":true,"method":"getInfo"}', '{"jsonrpc":"2.0","id":1e999,"method":"getInfo"}'),
    *('{"jsonrpc":"2.0","id":NaN,"method":"getInfo"}', '{"jsonrpc":"2.0","id":-Infinity,"method":"getInfo"}'),
    *('{"jsonrpc":"2.0","id":1.50,"method":"getInfo"}', '{"jsonrpc":"2.0","id":-0,"method":"getInfo"}'),
    *('{"jsonrpc":"2.0","id":"","method":"getInfo"}', '{"jsonrpc":"2.0","id":null,"method":"getInfo"}'),
    *(
        '{"jsonrpc":"2.0","id":12345678901234567890123,"method":"getInfo"}',
        '{"jsonrpc":"2.0","id":1e2,"method":"getInfo"}',
    ),
    *(
        '{"jsonrpc":"2.0","id":"\\u00fc\\n\\u2028","method":"getInfo"}',
        '{"jsonrpc":"2.0","id":"\\ud83d\\ude00","method":"getInfo"}',
    ),
    *(
        '{"jsonrpc":"2.0","id":1,"id":2,"method":"getInfo"}',
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","more":1}',
    ),
    *(
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","params":[]}',
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","params":[1]}',
    ),
    *(
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","params":null}',
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","params":"x"}',
    ),
    *(
        '{"jsonrpc":"2.0","id":1,"method":"getInfo","params":7}',
        '{"jsonrpc":"2.0","id":1,"method":"GetInfo","params":{}}',
    ),
    *(
        '{"jsonrpc":"2.0","id":1,"method":"nothing"}',
        '{"jsonrpc":"2.0","id":1,"method":""}',
        '{"jsonrpc":"2.0","id":1,"method":"rpc.x"}',
    ),
    *('{"jsonrpc":"2.0","id":1,"method":"\\u0000"}', '{"jsonrpc":"2.0","id":1,"method":"get%sInfo"}'),
    *('{"jsonrpc":"2.0","id":1,"method":"admin.nothing"}', '{"jsonrpc":"2.0","id":1,"method":"getCanvas"}'),
    *('{"jsonrpc":"2.0","id":1,"method":"paint","params":{"pos":{"x":1,"x":2},"size":3}}',),
    *('{"jsonrpc":"2.0","id":1,"method":"paint","params":{"pos":{"z":1},"size":3}}',),
    *('{"jsonrpc":"2.0","id":1,"method":"getCanvas","params":{"width":4,"height":4,"format":"GIF"}}',),
    *('{"jsonrpc":"2.0","id":1,"method":"getCanvas","params":{"width":4,"height":4,"format":2}}',),
    *('{"jsonrpc":"2.0","id":1,"method":"getCanvas","params":{"width":4,"height":4,"format":3}}',),
    *(
        '{"jsonrpc":"2.0","id":1,"method":"cursor","params":{"pos":{},"name":"' + name + '"}}'
        for name in ("a" * 40, "a" * 41, "\\n", "\\u200b", " ", "\\u202e", "\\ud83d\\ude00", "<b>", "\\u0000")
    ),
    "[" * 3000,
    '{"a":' * 3000,
)
EVENTS: Final[tuple[tuple[str, ...], ...]] = (
    *(
        ("paint",),
        ("patch",),
        ("canvas",),
        ("status",),
        ("paint", "patch"),
        ("paint", "canvas"),
        ("patch", "status"),
    ),
    *(
        ("paint", "patch", "canvas"),
        ("paint", "patch", "canvas", "status"),
        ("cursor",),
        ("paint", "paint"),
        (),
    ),
)
_WRONG_SUBSCRIPTIONS: Final[dict[str, tuple[Any, ...]]] = {
    "events": (5, "paint", [5], ["dog"], ["paint", "dog"], ["Paint"], [""], [None], {"a": 1}),
    "batch": (1, "true", [], {}),
    "since": (-1, "x", 1.5, 2**64, [], True),
    "session": (5, "x", "!!!!", "AAAA", "A" * 20, "A" * 64, [], "AAAAAAAAAAAAAAAAAAAAA-_", "ä"),
    "dog": (1,),
}
SUBSCRIBE_WRONG: Final[tuple[dict[str, Any], ...]] = tuple(
    {"events": ["canvas"], name: value} for name, wrong in _WRONG_SUBSCRIPTIONS.items() for value in wrong
)
