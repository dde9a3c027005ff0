"""What callers may spend: by address, or by their token's quota."""

from dreamcanvas.access import Identity
from dreamcanvas.allowances import Allowances, Client
from dreamcanvas.config import Config
from dreamcanvas.errors import RateLimited
from dreamcanvas.metrics import Metrics
from dreamcanvas.store.journal import Author


class Door:
    """Allowances with a clock of the test's own."""

    def __init__(self, **limits: object) -> None:
        self.now = 0.0
        config = Config(**{"dabs_per_second": 10, "dabs_burst": 20, **limits})  # type: ignore[arg-type]
        self.allowances = Allowances(config, Metrics(), now=lambda: self.now)

    def client(self, address: str = "192.0.2.1", identity: Identity | None = None) -> Client:
        return self.allowances.client(Author(1, None, address), identity, None)

    def refused(self, client: Client, count: int) -> bool:
        try:
            self.allowances.spend_dabs(client, count)
        except RateLimited:
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
    door.allowances.owe_dabs(one, 120)
    assert door.refused(one, 1)
    assert door.refused(other, 1)
    door.now = 12.0
    assert not door.refused(one, 20)


def test_connections_are_counted_by_address_or_token() -> None:
    door = Door(connections_per_address=3)
    assert [door.allowances.connections(each) for each in (None, BOT, HOST)] == [3, 2, 0]
    assert door.client(identity=BOT).household != door.client().household
    assert door.client("2001:db8::1").household == door.client("2001:db8::2").household


def test_without_rate_limits_there_are_none() -> None:
    door = Door(rate_limits=False)
    for client in (door.client(), door.client(identity=BOT)):
        assert not any(door.refused(client, 10**6) for _ in range(3))
    assert door.allowances.connections(BOT) == 0


def test_so_many_cursors_are_passed_on() -> None:
    door = Door(cursors_per_second=3)
    client = door.client()
    assert [door.allowances.may_point(client) for _ in range(5)] == [True, True, True, False, False]
    door.now = 1.0
    assert door.allowances.may_point(client)
