"""What callers may spend: by address, or by their token's quota."""

import asyncio

import pytest

from dreamcanvas.access.quotas import Client, Pace, Quotas
from dreamcanvas.access.tokens import Identity
from dreamcanvas.config import Config
from dreamcanvas.errors import TooFast
from dreamcanvas.store.journal import Author
from dreamcanvas.telemetry.metrics import Metrics


class Door:
    """Quotas with a clock of the test's own."""

    def __init__(self, **limits: object) -> None:
        self.now = 0.0
        config = Config(**{"dabs_per_second": 10, "dabs_burst": 20, **limits})  # type: ignore[arg-type]
        self.quotas = Quotas(config, Metrics(), now=lambda: self.now)

    def client(self, address: str = "192.0.2.1", identity: Identity | None = None) -> Client:
        return self.quotas.client(Author(1, None, address), identity, None)

    def refused(self, client: Client, count: int) -> bool:
        try:
            self.quotas.spend_dabs(client, count)
        except TooFast:
            return True
        return False


BOT = Identity("painter", admin=False, dabs_per_second=100, dabs_burst=200, connections=2)
HOST = Identity("admin", admin=True)


def test_who_shares_an_address_shares_what_it_may_spend() -> None:
    door = Door()
    one, other, away = door.client(), door.client(), door.client("192.0.2.2")
    assert not door.refused(one, 20)
    assert door.refused(other, 1)
    assert not door.refused(away, 20)
    door.now = 1.0
    assert not door.refused(other, 10)


def test_a_token_has_a_quota_of_its_own_wherever_it_comes_from() -> None:
    door = Door()
    one, other, anybody = door.client(identity=BOT), door.client("192.0.2.2", BOT), door.client()
    assert not door.refused(one, 150)
    assert door.refused(other, 100)
    assert not door.refused(other, 50)
    assert not door.refused(anybody, 20)


def test_the_host_is_not_limited() -> None:
    door = Door()
    host = door.client(identity=HOST)
    assert not any(door.refused(host, 10**6) for _ in range(10))


def test_what_is_owed_is_waited_for() -> None:
    door = Door()
    one, other = door.client(), door.client()
    door.quotas.owe_dabs(one, 120)
    assert door.refused(one, 1)
    assert door.refused(other, 1)
    door.now = 12.0
    assert not door.refused(one, 20)


def test_connections_are_counted_by_address_or_token() -> None:
    door = Door(connections_per_address=3)
    assert [door.quotas.connections(each) for each in (None, BOT, HOST)] == [3, 2, 0]
    assert door.client(identity=BOT).household != door.client().household
    assert door.client("2001:db8::1").household == door.client("2001:db8::2").household


def test_without_rate_limits_there_are_none() -> None:
    door = Door(rate_limits=False)
    for client in (door.client(), door.client(identity=BOT)):
        assert not any(door.refused(client, 10**6) for _ in range(3))
    assert door.quotas.connections(BOT) == 0


def test_so_many_cursors_are_passed_on() -> None:
    door = Door(cursors_per_second=3)
    client = door.client()
    assert [door.quotas.may_point(client) for _ in range(5)] == [True, True, True, False, False]
    door.now = 1.0
    assert door.quotas.may_point(client)


def pace_of(door: Door, client: Client) -> Pace:
    pace = door.quotas.pace(client.household)
    assert pace is not None
    return pace


def test_the_pace_of_an_address_is_that_of_what_it_has_least_of() -> None:
    door = Door(calls_per_second=100, kilobytes_per_second=10, busy_percent=50)
    one, other, away = (door.client(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"))
    pace_of(door, one).take(0.0, 200, 0, 0.0)  # two seconds' worth may come at once
    assert pace_of(door, other).wait(0.0) == 0
    pace_of(door, one).take(0.0, 50, 0, 0.0)
    assert pace_of(door, other).wait(0.0) == pytest.approx(0.5)
    pace_of(door, one).take(0.0, 0, 30_000, 0.0)
    assert pace_of(door, other).wait(0.0) == pytest.approx(1.0)
    pace_of(door, one).take(0.0, 0, 0, 2.0)
    assert pace_of(door, other).wait(0.0) == pytest.approx(2.0)
    assert pace_of(door, other).wait(2.0) == 0
    assert pace_of(door, away).wait(0.0) == 0


def test_a_token_s_pace_is_processor_time_and_the_host_has_none() -> None:
    door = Door(calls_per_second=1, kilobytes_per_second=1, busy_percent=50)
    bot = pace_of(door, door.client(identity=BOT))
    bot.take(0.0, 1000, 10**6, 0.0)
    assert bot.wait(0.0) == 0
    bot.take(0.0, 0, 0, 2.0)
    assert bot.wait(0.0) == pytest.approx(2.0)
    assert door.quotas.pace(door.client(identity=HOST).household) is None
    assert door.quotas.pace(("a proxy",)) is None
    off = Door(rate_limits=False)
    assert off.quotas.pace(off.client().household) is None


def test_dear_calls_have_a_rate_that_an_address_shares() -> None:
    door = Door(work_per_second=10)
    one, other, host = door.client(), door.client(), door.client(identity=HOST)
    door.quotas.spend_work(one, 50)
    with pytest.raises(TooFast) as caught:
        door.quotas.spend_work(other, 5)
    assert caught.value.wait_ms == pytest.approx(500, abs=2)
    door.now = 0.5
    door.quotas.spend_work(other, 5)
    for _ in range(10):
        door.quotas.spend_work(host, 10**6)


async def test_who_posts_waits_for_its_pace() -> None:
    door = Door(calls_per_second=100)
    client = door.client()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await door.quotas.pass_calls(client, 210, 0)
    assert loop.time() - began < 0.05
    await door.quotas.pass_calls(client, 1, 0)
    assert loop.time() - began > 0.08
