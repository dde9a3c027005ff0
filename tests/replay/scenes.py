"""What is recorded: rounds of scenes, in each of which some connections call, one after another."""

import json
import random
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from tests.replay import values
from tests.replay.player import call
from tests.replay.recorder import Recorder
from tests.replay.start import ADMIN, BOTS, START

T = TypeVar("T")

ROUNDS: Final = 14
SIDE: Final = 1536
SESSIONS: Final = {"A": b"a" * 16, "B": b"b" * 24, "E": b"e" * 32}
ADDRESSES: Final = {"A": "198.51.100.1", "B": "198.51.100.2", "E": "2001:db8::5"}
BEARER: Final = {"D": BOTS["crab"], "E": BOTS["newt"], "H": ADMIN, "J": ADMIN}
TEXTUAL: Final = frozenset("BDJ")
FORMATS: Final = ("JPEG", "PNG", "WEBP")


def fields(*given: tuple[int, int | bytes]) -> bytes:
    """A protobuf message of unsigned numbers, and of texts or messages."""
    out = b""
    for number, value in given:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            out += _varint(number << 3 | 2) + _varint(len(value)) + value
    return out


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes((value & 127 | 128,)), value >> 7
    return out + bytes((value,))


class Scenes:
    """The scenes of a round. `A` to `E` draw, binary or as text, with a session, a token or without; `H` and
    `J` have the admin token; `W`, `T` and `S` watch; `V` comes and goes.
    """

    def __init__(self, recorder: Recorder, rng: random.Random) -> None:
        self.recorder = recorder
        self.rng = rng
        self.round = 0
        self._calls = dict.fromkeys(SESSIONS, 0)
        self._stroke = 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """A round's part of what all rounds together do once."""
        return items[self.round :: ROUNDS]

    # Who is there

    def arrive(self) -> None:
        """Everyone connects."""
        recorder = self.recorder
        for name in "WTS":
            recorder.open(name, "/rpc?subscribe=paint,canvas" if name == "S" else "/rpc")
        recorder.subscribe("W", events=["paint", "patch", "canvas", "status"], batch=True)
        recorder.subscribe("T", text=True, events=["paint", "patch"])
        for name in "ABCDEHJ":
            self.connect(name)

    def connect(self, name: str) -> None:
        """One that draws connects, as who it was before where it has a session."""
        headers = {}
        if name in ADDRESSES:
            headers["X-Forwarded-For"] = ADDRESSES[name]
        if name in BEARER:
            headers["Authorization"] = f"Bearer {BEARER[name]}"
        self.recorder.open(name, headers=headers)
        if name in SESSIONS:
            self.recorder.subscribe(name, text=name in TEXTUAL, events=["canvas"], session=SESSIONS[name])

    def call(self, name: str, method: str, /, **request: Any) -> Any:
        """A call in the encoding of whoever calls."""
        if name in TEXTUAL:
            return self.recorder.text(name, method, request)
        if isinstance(request.get("format"), str):
            request["format"] = FORMATS.index(request["format"])
        return self.recorder.wsrpc(name, method, **request)

    def admin(self, method: str, /, **request: Any) -> Any:
        return self.recorder.text("J", f"admin.{method}", request)

    # Drawing

    def dab(self) -> dict[str, Any]:
        """Any dab, some at the bounds."""
        rng = self.rng
        if rng.random() < 0.1:
            x, y = rng.choice((-65535, -124, -1, 0, 1535, 1536, 65535)), rng.choice((-65535, 0, 1535, 65535))
            return {
                "pos": {"x": x, "y": y},
                "size": rng.choice((1, 2, 123, 124)),
                "color": rng.choice((0, 0xFFFFFF)),
            }
        pos = {"x": rng.randrange(-50, SIDE + 50), "y": rng.randrange(-50, SIDE + 50)}
        return {"pos": pos, "size": rng.randrange(1, 60), "color": rng.randrange(2**24)}

    def near(self, x: int, y: int) -> dict[str, Any]:
        """A dab near a place."""
        pos = {"x": x + self.rng.randrange(-30, 30), "y": y + self.rng.randrange(-30, 30)}
        return {"pos": pos, "size": self.rng.randrange(1, 60), "color": self.rng.randrange(2**24)}

    def next_call(self, name: str) -> int:
        self._calls[name] += self.rng.choice((1, 1, 1, 5))
        return self._calls[name]

    def drawing(self) -> None:
        """Dabs of everyone: one, several, many, twice the same call, without an answer."""
        rng, recorder = self.rng, self.recorder
        for _ in range(95):
            name = rng.choice("AAABBCDE")
            request: dict[str, Any] = self.dab()
            if rng.random() < 0.2:
                request = {"dabs": [self.dab() for _ in range(rng.randrange(1, 7))]}
            if rng.random() < 0.5:
                request["stroke"] = rng.choice((0, 1, rng.randrange(2**32)))
            if name in SESSIONS and rng.random() < 0.4:
                request["call"] = self.next_call(name)
                self.call(name, "paint", **request)
                if rng.random() < 0.3:
                    self.call(name, "paint", **request)  # a duplicate
                    self.call(name, "paint", **{**request, "call": max(1, request["call"] - 1)})
            else:
                self.call(name, "paint", **request)
        for _ in range(3):
            note = json.dumps({"jsonrpc": "2.0", "method": "paint", "params": self.dab()})
            recorder.send("D", note, "paint", answers=0, made=1)
        if not self.round % 4:
            self.call("A", "paint", dabs=[self.dab() for _ in range(256)])
            self.call("B", "paint", dabs=[self.dab() for _ in range(256)])
            self.call("C", "paint", dabs=[self.dab() for _ in range(257)])
        self.call("C", "paint", **self.dab(), call=3)

    def undoing(self) -> None:
        """Strokes taken back: one's own, another's, twice, too late."""
        for name in self.rng.sample("ABCDE", 3):
            self._stroke += 1
            stroke = 1000 + self._stroke
            x, y = self.rng.randrange(SIDE), self.rng.randrange(SIDE)
            for _ in range(self.rng.randrange(1, 4)):
                self.call(name, "paint", **self.near(x, y), stroke=stroke)
            other = "C" if name != "C" else "A"
            self.call(other, "paint", **self.near(x, y), stroke=7)
            self.call(other, "undo", stroke=stroke)
            given = {"call": self.next_call(name)} if name in SESSIONS else {}
            self.call(name, "undo", stroke=stroke, **given)
            self.call(name, "undo", stroke=stroke, **given)
            self.call(name, "undo", stroke=stroke)
            self.call(name, "undo", stroke=self.rng.choice((0, 5, 2**32 - 1)))
        self.call("A", "paint", **self.dab(), stroke=900)
        self.recorder.advance(self.rng.choice((59_000, 61_000)))
        self.call("A", "undo", stroke=900)
        self.recorder.send("D", '{"jsonrpc":"2.0","method":"undo","params":{"stroke":123456}}', answers=0)
        self.call("D", "getInfo")

    # Looking

    def looking(self) -> None:
        """Parts of the picture in every format, at its borders and beyond; the whole of it."""
        rng = self.rng
        for number in range(45):
            width, height = rng.choice((1, 2, 17, 64, 90)), rng.choice((1, 3, 16, 70))
            offset = {"x": rng.randrange(SIDE), "y": rng.choice((0, SIDE - height, rng.randrange(SIDE)))}
            format_ = FORMATS[number % 3]
            self.call(
                rng.choice("ABCDE"), "getCanvas", offset=offset, width=width, height=height, format=format_
            )
        for request in (
            {"width": 1, "height": 1},
            {"width": SIDE, "height": 1, "format": "PNG"},
            {"width": 1, "height": SIDE},
            {"width": SIDE + 1, "height": 1},
            {"width": 0, "height": 1},
            {"width": 1},
            {"offset": {"x": SIDE - 1, "y": SIDE - 1}, "width": 1, "height": 1, "format": "PNG"},
            {"offset": {"x": SIDE, "y": 0}, "width": 1, "height": 1},
            {"offset": {"x": -1, "y": 0}, "width": 1, "height": 1},
            {"offset": {"x": 1500, "y": 0}, "width": 37, "height": 1},
        ):
            self.call(rng.choice("AC"), "getCanvas", **request)
            self.call(rng.choice("BD"), "getCanvas", **request)
        if self.round % 7 == 3:
            for format_ in FORMATS:
                self.recorder.pause(0.6)  # a whole picture is made anew only so often
                self.call("A", "getCanvas", width=SIDE, height=SIDE, format=format_)
                self.call("B", "getCanvas", width=SIDE, height=SIDE, format=format_)

    def history(self) -> None:
        """Windows and dreams of the past."""
        rng, start = self.rng, 1767592800000
        for _ in range(9):
            name = rng.choice("ABCD")
            before = rng.choice((0, 1, start, start + 1, start + 7200000, 2**53, 2**63, 2**64 - 1))
            self.call(
                name, "getHistory", before=before, limit=rng.choice((0, 1, 2, 3, 24, 500, 501, 2**32 - 1))
            )
        for _ in range(14):
            name = rng.choice("ABCD")
            moment = {"time": rng.choice((0, 1, start, start + rng.randrange(7 * 3600000), 2**53, 2**64 - 1))}
            numbered = {"dream": rng.choice((0, 1, 2, 14, 15, 20, 21, 39, 40, 41, 2**32, 2**53, 2**64 - 1))}
            self.call(name, "getFrame", **rng.choice((moment, numbered, {**moment, **numbered}, {})))
        self.call("A", "getInfo")
        self.call("B", "getInfo")
        self.recorder.text("D", "rpc.discover")
        self.recorder.text("B", "rpc.discover", {})

    def pointing(self) -> None:
        """Where pointers are; they are passed on to nobody here."""
        names = ("", "Ada", "a" * 40, "a" * 41, "ä€😀", " ", "\n", "\u200b", "<i>", "\u202ex", "\0")
        for _ in range(18):
            pos = {
                "x": self.rng.choice((-65536, -65535, 0, 65535, 65536, 800)),
                "y": self.rng.randrange(1600),
            }
            color = self.rng.choice((0, 2**24 - 1, 2**24))
            down = self.rng.random() < 0.5
            self.call(
                self.rng.choice("ABCDE"),
                "cursor",
                pos=pos,
                color=color,
                down=down,
                name=self.rng.choice(names),
            )
        self.call("A", "cursor")

    # Hearing

    def subscribing(self) -> None:
        """Subscriptions of every kind, and what they bring while others draw."""
        recorder, rng = self.recorder, self.rng
        recorder.open(
            "V", rng.choice(("/rpc", "/rpc?subscribe=paint,status,canvas", "/", "/rpc?subscribe=status"))
        )
        for number, events in enumerate(values.EVENTS):
            if rng.random() < 0.6:
                continue
            text, batch = rng.random() < 0.5, rng.random() < 0.5
            request: dict[str, Any] = {"events": list(events), "batch": batch}
            if number % 3 == 0:
                request["session"] = bytes((number,)) * rng.choice((16, 20, 32))
            recorder.subscribe("V", text=text, **request)
            self.call("A", "paint", **self.dab(), stroke=800)
            self.call("B", "paint", dabs=[self.dab(), self.dab()])
            if number % 4 == self.round % 4:
                self.call("A", "undo", stroke=800)
        for since in (
            recorder.seq,
            recorder.seq - 1,
            recorder.seq - rng.randrange(300),
            1,
            recorder.seq + 1,
            2**53,
        ):
            some = list(rng.choice(values.EVENTS))
            recorder.subscribe(
                "V", text=rng.random() < 0.5, events=some, since=since, batch=rng.random() < 0.7
            )
        self.call("C", "paint", **self.dab())
        recorder.subscribe("V", events=["canvas"])
        for request in self.share(values.SUBSCRIBE_WRONG):
            recorder.text("V", "subscribe", request)
        recorder.close("V")

    def reconnecting(self) -> None:
        """Who has a session is gone and comes back as the same."""
        name = self.rng.choice("ABE")
        self.recorder.close(name)
        self.connect(name)
        self.call(name, "paint", **self.dab(), call=self._calls[name] or 1)
        self.call(name, "paint", **self.dab(), call=self.next_call(name))

    # What is wrong

    def wrong_fields(self) -> None:
        """A wrong value in every place, as text on a websocket or posted."""
        cases = [(method, case) for method in values.BASES for case in values.with_wrong_fields(method)]
        cases += [("paint", case) for case in values.wrong_dabs()]
        for number, (method, case) in enumerate(self.share(cases)):
            name = "J" if method.startswith("admin.") else "B"
            if number % 3:
                self.recorder.text(name, method, case)
            else:
                token = {"Authorization": f"Bearer {ADMIN}"} if name == "J" else {}
                self.recorder.post("P" + name, self.recorder.request(method, case), method, headers=token)
        self.admin("readOnly", on=False)
        for ban in self.admin("bans")["result"].get("bans", []):
            self.admin("unban", ban=ban["ban"])

    def wrong_bytes(self) -> None:
        """Binary calls with any payload, and with any seq."""
        for method, payload in values.BINARY[self.round % 2 :: 2]:
            name = self.rng.choice("ACEH" if not method.lower().startswith("admin") else "CH")
            seq = self.rng.choice((0, 1, 127, 128, 2**31, 2**32 - 1))
            self.recorder.send(name, call(method, seq, payload), method)

    def no_requests(self) -> None:
        """Messages that are none: the 20th closes the websocket. One that is too long does at once."""
        recorder = self.recorder
        recorder.open("V")
        for number in range(19):
            recorder.send("V", values.NO_REQUESTS[(self.round + number) % len(values.NO_REQUESTS)], answers=0)
            if not number % 6:
                recorder.wsrpc("V", "getInfo")
        recorder.closed("V", values.NO_REQUESTS[self.round % len(values.NO_REQUESTS)])
        recorder.open("V")
        recorder.send("V", "x" * 65536)
        padding = "x" * (65537 + self.round % 3)
        recorder.closed("V", padding if self.round % 2 else padding.encode())

    def no_calls(self) -> None:
        """Texts that are no calls, or unusual ones; also posted."""
        for text in values.NO_CALLS[self.round % 4 :: 4]:
            method = "paint" if '"paint"' in text else ""
            self.recorder.send("B", text, method)
            self.recorder.post("PB", text, method)

    def batches(self) -> None:
        """Batches: right, too long, mixed, of notifications.

        Calls that come at once are committed at once, or not, and so are the events of who hears of bunches:
        nobody does here. What is answered at once stands before what is not.
        """
        recorder, rng = self.recorder, self.rng
        recorder.subscribe("W", events=["paint", "patch", "canvas", "status"])

        def item(method: str, params: Any = None, *, note: bool = False) -> dict[str, Any]:
            made: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
            if not note:
                made["id"] = rng.choice((recorder.number(), str(recorder.number()), None))
            return made if params is None else {**made, "params": params}

        def paints(count: int, *, note: bool = False) -> list[dict[str, Any]]:
            return [item("paint", self.dab(), note=note) for _ in range(count)]

        some: list[Any] = [item("getInfo"), item("nothing"), item("getInfo", note=True), 5, {}, []]
        wrong = [item("paint", {"size": 3}), item("undo", {"stroke": 0}), item("undo", [1])]
        for items, answers, made in (
            (paints(3), 1, 0),
            ([*some, *wrong], 1, 0),
            ([*some, *paints(2), *paints(1, note=True)], 1, 3),
            (paints(2, note=True), 0, 2),
            ([item("getInfo", note=True)], 0, 0),
            (paints(20), 1, 0),
            (paints(21), 1, 0),
            ([item("getInfo"), item("subscribe", {"events": ["canvas"]})], 1, 0),
            ([item("rpc.discover"), item("getFrame", {"dream": 30})], 1, 0),
        ):
            recorder.send(
                rng.choice("BD") if items[-1].get("method") != "subscribe" else "D",
                json.dumps(items),
                "paint",
                answers=answers,
                made=made,
                calls=len(items),
            )
        self.call("D", "getInfo")
        mixed = [
            *paints(2),
            item("getHistory"),
            *some,
            *wrong,
            item("getCanvas", {"width": 2, "height": 2}),
            *paints(1),
        ]
        recorder.post("PB", json.dumps(mixed), "paint", calls=len(mixed))
        recorder.subscribe("W", events=["paint", "patch", "canvas", "status"], batch=True)

    # The operator

    def moderating(self) -> None:
        """What the admin token allows, to others too."""
        rng, recorder = self.rng, self.recorder
        for name, method in (("B", "state"), ("D", "ban"), ("B", "restore"), ("D", "acts")):
            recorder.text(name, f"admin.{method}", values.BASES[f"admin.{method}"])
        recorder.wsrpc("C", "admin.state", b"")
        recorder.wsrpc("H", "admin.state", b"")
        self._read_only()
        self._bans()
        self.admin(
            "announce", text=rng.choice(("Hello", "ä" * 200, "ä" * 201, "", " ", "a\nb")), seconds=10**6
        )
        self.admin("announce")
        self.admin("rest", on=rng.random() < 0.5)
        for method in ("state", "nextStyle", "bans", "acts"):
            self.admin(method)
        recorder.wsrpc("H", "admin.acts", fields((1, rng.randrange(1, 6))))
        self._restoring()

    def _read_only(self) -> None:
        self.admin("readOnly", on=True)
        for name in "ABCDE":
            self.call(name, "paint", **self.dab())
        self.call("A", "undo", stroke=1)
        self.call("B", "getInfo")
        self.recorder.wsrpc("H", "paint", **self.dab())
        self.recorder.wsrpc("H", "admin.readOnly", fields((1, 0)))

    def _bans(self) -> None:
        rng, recorder = self.rng, self.recorder
        whom: list[dict[str, Any]] = [
            {"address": ADDRESSES["A"]},
            {"address": "198.51.100.0/24"},
            {"address": "2001:db8::/32"},
            {"address": "127.0.0.1"},
            {"author": rng.randrange(1, 40), "authorOnly": True},
            {"author": 2598549776},
            {"author": 4, "address": "203.0.113.9"},
        ]
        for given in rng.sample(whom, 3):
            self.admin(
                "ban", **given, seconds=rng.choice((1, 60, 86400)), reason=rng.choice(("Too loud", "ä%s"))
            )
        for name in "ABCDE":
            self.call(name, "paint", **self.dab())
        found = self.admin("bans")
        recorder.advance(1500)
        self.call("A", "paint", **self.dab())
        self.call("B", "cursor", pos={"x": 1, "y": 2})
        for ban in found["result"].get("bans", []):
            self.admin("unban", ban=ban["ban"])
        self.call("A", "paint", **self.dab())
        self.call("B", "paint", **self.dab())

    def _restoring(self) -> None:
        rng, recorder = self.rng, self.recorder
        for _ in range(3):
            x, y = rng.randrange(SIDE - 200), rng.randrange(SIDE - 200)
            region = {"x": x, "y": y, "width": rng.randrange(1, 100), "height": rng.randrange(1, 100)}
            # None out of a movie: there are no files of movies here
            dream = rng.choice((0, 1, 14, 41, 50, *range(21, 41)))
            moment = rng.choice((0, 1767595000000, 2**53, *range(1767604200000, START, 500_000)))
            when = rng.choice(({"dream": dream}, {"time": moment}))
            whose = rng.choice(({}, {"authors": [rng.randrange(1, 30), 2598549776]}))
            self.admin("restore", region=region, **{**when, **whose})
            self.admin("who", x=x, y=y, width=region["width"], height=region["height"], seconds=10**6)
            self.admin("who", x=x, y=y, time=rng.choice((0, 1767600000000, 2**53)))
        recorder.wsrpc("H", "admin.restore", fields((1, fields((1, 5), (2, 5), (3, 9), (4, 9))), (5, 22)))
        recorder.wsrpc("H", "admin.who", fields((1, rng.randrange(SIDE)), (2, 700), (5, 300), (6, 300)))
        if self.round == 5:
            self.admin("restore", dream=25 + self.round % 3)
            self.admin("restore", address="192.0.2.99", dream=38)

    # Posting, and the door

    def posting(self) -> None:
        """Calls without a websocket: anybody's, a bot's, the operator's, wrong ones."""
        rng, recorder = self.rng, self.recorder
        tokens: Iterable[dict[str, str]] = (
            {},
            {"Authorization": f"Bearer {BOTS['crab']}"},
            {"Authorization": f"Bearer {ADMIN}"},
            {"Authorization": f"Bearer {BOTS['gone']}"},
            {"Authorization": "Bearer crab.wrong"},
            {"Authorization": "Basic eA=="},
            {"Authorization": ""},
            {"X-Forwarded-For": "192.0.2.77"},
            {"Origin": "https://elsewhere.example"},
            {"Origin": "http://canvas.example"},
            {"Content-Type": "text/plain"},
        )
        for number, headers in enumerate(tokens):
            name = f"P{number}"
            calls: tuple[tuple[str, Any], ...] = (
                ("paint", self.dab()),
                ("paint", {"dabs": [self.dab(), self.dab()], "stroke": 4}),
                ("getCanvas", {"width": 3, "height": 2, "format": rng.choice(FORMATS)}),
                *(
                    ("undo", {"stroke": 4}),
                    ("cursor", {"pos": {}}),
                    ("subscribe", {}),
                    ("getFrame", {"dream": 25}),
                ),
                *(("admin.state", {}), ("nothing", None), ("paint", {**self.dab(), "call": 1})),
            )
            for method, params in rng.sample(calls, 5):
                recorder.post(name, recorder.request(method, params), method, headers=headers)
        for body in (b"\xff", b"", b"{}", "x" * 65537, '{"jsonrpc":"2.0","method":"getInfo"}'):
            recorder.post("PB", body)
        note = json.dumps({"jsonrpc": "2.0", "method": "paint", "params": self.dab()})
        recorder.post("PB", note, "paint", made=1)

    def knocking(self) -> None:
        """Websockets that are not opened."""
        for path, headers in self.share(
            (
                ("/rpc?subscribe=dog", {}),
                ("/nowhere", {}),
                ("/rpc/", {}),
                ("/rpc", {"Origin": "https://elsewhere.example"}),
                ("/rpc", {"Authorization": "Bearer crab.wrong"}),
                ("/rpc", {"Authorization": f"Bearer {BOTS['gone']}"}),
                ("/rpc", {"Authorization": "Bearer admin.wrong-wrong-wrong-wrong"}),
                ("/rpc?subscribe=paint,cat,status", {}),
            )
        ):
            assert not self.recorder.open("V", path, headers)

    def play(self) -> None:
        """All rounds."""
        self.arrive()
        for self.round in range(ROUNDS):
            scenes = [
                *(self.drawing, self.undoing, self.looking, self.history, self.pointing, self.subscribing),
                *(self.reconnecting, self.wrong_fields, self.wrong_bytes, self.no_requests, self.no_calls),
                *(self.batches, self.moderating, self.posting, self.knocking),
            ]
            self.rng.shuffle(scenes)
            for scene in scenes:
                scene()

    def go_on(self) -> None:
        """One more call."""
        if self.rng.random() < 0.5:
            self.call(self.rng.choice("ABCDE"), "paint", **self.dab())
        else:
            self.call(
                self.rng.choice("AB"),
                "getCanvas",
                offset={"x": 3, "y": self.rng.randrange(900)},
                width=20,
                height=20,
            )
