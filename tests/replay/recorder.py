"""Records steps: performs each, waits for all that comes of it, and writes both down."""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.contract.schema import EVENTS, METHODS, make, parse
from tests.replay.player import BINARY, CLOSE, LONG, TEXT, WAIT, Nothing, Player, Raw, Step, call, packed

QUIET = 0.2  # s in which nothing comes any more; only here: a replay knows what is to come
# What makes operations, and what changes the status
OPERATIONS = frozenset(("paint", "undo", "admin.restore"))
STATUSES = frozenset(("admin.readOnly", "admin.rest", "admin.announce"))
ALL = ("paint", "patch", "canvas", "status")


@dataclass(slots=True)
class Watcher:
    """What a websocket is sent: `seq` is the newest operation that it has heard of."""

    events: frozenset[str] = frozenset()
    stock: bool = False
    seq: int = 0

    def hears(self, *, patches: bool) -> bool:
        """Whether it is told of dabs, or of patches."""
        if patches:
            return ("canvas" if self.stock else "patch") in self.events
        return "paint" in self.events


class Recorder:
    """The recording so far: `steps`, each with what was `got`, and how many `calls`."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.steps: list[Step] = []
        self.calls = 0
        self.seq = 0
        self._watchers: dict[str, Watcher] = {}
        self._number = 0
        self._got: dict[str, list[str]] = {}

    # Steps

    def open(self, name: str, path: str = "/rpc", headers: dict[str, str] | None = None) -> bool:
        """Opens a websocket, and says whether it is open."""
        step = {"open": name, "path": path, "headers": headers or {}}
        self._begin(step)
        opened = self._got[name][0].startswith("101")
        if opened:
            stock = path == "/" or "subscribe=" in path
            names = path.partition("subscribe=")[2].split(",") if path != "/" else ALL
            self._watchers[name] = Watcher(frozenset(names), stock=stock)
            self._await_status()
        self._end(step)
        return opened

    def close(self, name: str) -> None:
        """Closes it from this side."""
        step = {"close": name}
        self._begin(step)
        while self._receive(name) is not None:
            pass
        del self._watchers[name]
        self._await_status()
        self._end(step)

    def closed(self, name: str, data: bytes | str, calls: int = 1) -> None:
        """Sends what the server closes the websocket for."""
        step = {"send": name, "message": packed(data)}
        self.calls += calls
        self._begin(step)
        while self._receive(name) is not None:
            pass
        del self._watchers[name]
        self._await_status()
        self._end(step)

    def pause(self, seconds: float) -> None:
        self._end_at_once({"pause": seconds})

    def advance(self, ms: int) -> None:
        """Moves the clock."""
        self._end_at_once({"advance": ms})

    def _end_at_once(self, step: Step) -> None:
        self._begin(step)
        self._end(step)

    def send(
        self, name: str, data: bytes | str, *methods: str, answers: int = 1, made: int = 0, calls: int = 0
    ) -> list[Any]:
        """Sends a message that calls `methods`, and gives its answers.

        `made` are the operations that are made without an answer.
        """
        step = {"send": name, "message": packed(data)}
        self.calls += calls or max(1, len(methods))
        self._begin(step)
        found: list[Any] = []
        while len(found) < answers:
            message = self._receive(name)
            assert message is not None, f"closed after {data!r}"
            if message[0] == "answer":
                found.append(message[1])
        self._follow(name, methods, found, made)
        self._end(step)
        return found

    def post(
        self,
        name: str,
        body: bytes | str,
        *methods: str,
        calls: int = 0,
        made: int = 0,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Posts a body, and gives the answer, decoded."""
        step: Step = {"post": name, "body": packed(body)}
        if headers:
            step["headers"] = headers
        self.calls += calls or max(1, len(methods))
        self._begin(step)
        try:
            answer = json.loads(self.player.body)
        except ValueError:
            answer = None
        self._follow("", methods, [answer], made)
        self._end(step)
        return answer

    # What comes of it

    def _follow(self, origin: str, methods: Iterable[str], answers: list[Any], made: int) -> None:
        """Waits for the events that successful calls cause."""
        results = [result for answer in answers for result in _results(answer)]
        for method in methods:
            if method in OPERATIONS:
                seqs = [made and self.seq + made, *(_seq(method, result) for result in results)]
                newest = max(seqs)
                if newest > self.seq:
                    self.seq = newest
                    self._await_operations(origin, patches=method != "paint")
            if method in STATUSES and results:
                self._await_status()

    def _await_operations(self, origin: str, *, patches: bool) -> None:
        for name, watcher in self._watchers.items():
            if watcher.hears(patches=patches) and (patches or name != origin):
                while watcher.seq < self.seq:
                    self._receive(name)

    def _await_status(self) -> None:
        for name, watcher in self._watchers.items():
            if "status" in watcher.events:
                while (message := self._receive(name)) is not None and message[:2] != ("event", "status"):
                    pass

    def _begin(self, step: Step) -> None:
        self._got = defaultdict(list)
        for name, messages in self.player.perform(step).items():
            self._got[name] += messages

    def _end(self, step: Step) -> None:
        if self._got:
            step["got"] = dict(self._got)
        self.steps.append(step)

    def _receive(self, name: str, timeout: float = WAIT) -> tuple[Any, ...] | None:
        """The next message: an answer, an event with its name, or None where the websocket was closed."""
        raw = self.player.receive(name, timeout)
        bug = b"INTERNAL" in raw[1] and len(raw[1]) < LONG  # the schema explains the word, too
        assert not bug, "a bug is answered by a number that nobody can foretell"
        self._got[name].append(self.player.kept(raw))
        if raw[0] == CLOSE:
            return None
        event = _event(raw)
        if event is None:
            return "answer", _answer(raw)
        if event[1]:
            self._watchers[name].seq = event[1]
        return "event", event[0]

    def _quiet(self, name: str) -> None:
        """Takes in what comes until nothing comes any more."""
        try:
            while True:
                self._receive(name, QUIET)
        except Nothing:
            pass

    # Calls

    def number(self) -> int:
        self._number += 1
        return self._number

    def wsrpc(self, name: str, method: str, payload: bytes | None = None, /, **fields: Any) -> Any:
        """A binary call with the fields of its request, or any payload; its answer or None."""
        if payload is None:
            payload = make(METHODS[method][0], **fields).SerializeToString()
        return self.send(name, call(method, self.number(), payload), method)[0]

    def text(self, name: str, method: str, params: Any = None) -> Any:
        """A call in JSON; its answer, decoded."""
        return self.send(name, self.request(method, params), method)[0]

    def request(self, method: str, params: Any = None) -> str:
        """The text of a call in JSON."""
        body = {"jsonrpc": "2.0", "id": self.number(), "method": method}
        return json.dumps(body if params is None else {**body, "params": params})

    def subscribe(self, name: str, /, *, text: bool = False, **fields: Any) -> Any:
        """Subscribes, and waits for what was painted since, where that is asked for."""
        step_count = len(self.steps)
        if text:
            given = dict(fields)
            if "session" in given:
                given["session"] = base64.b64encode(given["session"]).decode()
            answer = self.text(name, "subscribe", given)
            good = "result" in answer
        else:
            answer = self.wsrpc(name, "subscribe", **fields)
            good = answer is not None and answer.ok
        if good:
            watcher = self._watchers[name]
            watcher.events, watcher.stock = frozenset(fields.get("events") or ALL), False
            if "since" in fields:
                self._got = defaultdict(list, self.steps[step_count].get("got", {}))
                self._quiet(name)
                self.steps[step_count]["got"] = dict(self._got)
            watcher.seq = self.seq
        return answer


def _event(raw: Raw) -> tuple[str, int] | None:
    """The name of an event and its newest operation, 0 where it is of none; None for an answer."""
    kind, data = raw
    if kind == TEXT:
        message = json.loads(data)
        if isinstance(message, list) or "method" not in message:
            return None
        name, params = message["method"], message["params"]
        return name, params["paints"][-1]["seq"] if name == "paints" else params.get("seq", 0)
    assert kind == BINARY, kind
    envelope = parse("Message", data)
    if envelope.type != 3:
        return None
    name = envelope.event.name
    event = parse(EVENTS[name], envelope.event.payload)
    return name, event.paints[-1].seq if name == "paints" else getattr(event, "seq", 0)


def _answer(raw: Raw) -> Any:
    return json.loads(raw[1]) if raw[0] == TEXT else parse("Message", raw[1]).response


def _results(answer: Any) -> list[Any]:
    """What succeeded: a message, or JSON values."""
    if isinstance(answer, list):
        return [item["result"] for item in answer if "result" in item]
    if isinstance(answer, dict):
        return [answer["result"]] if "result" in answer else []
    return [answer] if answer is not None and answer.ok else []


def _seq(method: str, result: Any) -> int:
    """The operation that a successful call made."""
    if isinstance(result, dict):
        seq: int = result.get("seq", 0)
        return seq
    # The answer of admin.restore has its number in the place where undo's has it
    return int(parse("PaintResponse" if method == "paint" else "UndoResponse", result.payload).seq)
