"""The clients whose websockets are open, and how many each household has."""

from collections import Counter
from collections.abc import Iterator

from dreamcanvas.access.quotas import Client


class Clients:
    """The clients that are connected. A household is an address or a token: limits count it as one."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._households: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients))

    def count(self) -> int:
        """Return how many websockets are open."""
        return len(self._clients)

    def of_household(self, household: str) -> int:
        """Return how many websockets of a household are open."""
        return self._households[household]

    def add(self, client: Client) -> None:
        """Take in a client whose websocket has been opened."""
        self._clients.add(client)
        self._households[client.household] += 1

    def remove(self, client: Client) -> None:
        """Forget a client whose websocket is closed."""
        self._clients.discard(client)
        self._households[client.household] -= 1
        if not self._households[client.household]:
            del self._households[client.household]

    def address_of(self, author: int) -> str | None:
        """Return the address from which an author is connected, or None where it is not."""
        return next((client.address for client in self._clients if client.author.number == author), None)
