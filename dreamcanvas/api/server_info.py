"""What a server tells of itself: its costs, and where to donate, where that is configured."""

import logging
from dataclasses import dataclass
from pathlib import Path

from dreamcanvas.config import Config
from dreamcanvas.net import donations
from dreamcanvas.net.donations import Link
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.small_file import read_small
from dreamcanvas.store.uptime import Hours, Uptime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Costs:
    """What the server has cost: today (from midnight UTC), this month, and since its start, in `currency`.

    `hours` are those since its start.
    """

    currency: str
    today: float
    month: float
    total: float
    hours: Hours


class ServerInfo:
    """What a server tells of itself, from the settings and from the measured hours."""

    def __init__(self, config: Config, uptime: Uptime) -> None:
        self._config = config
        self._uptime = uptime
        self.operator = config.operator
        self.bitcoin = config.donate_bitcoin
        self.links = donations.links(config.donate_links)
        if self.bitcoin:
            self.links.insert(0, Link("Bitcoin", donations.bitcoin_url(self.bitcoin)))

    def limits(self) -> pb.Limits:
        """Return the bounds that clients should know."""
        config = self._config
        rates = config.rate_limits
        return pb.Limits(
            message_bytes=config.message_bytes,
            dabs_per_call=config.dabs_per_call,
            dabs_per_second=config.dabs_per_second if rates else 0,
            dabs_burst=config.dabs_burst if rates else 0,
            canvas_per_minute=config.canvas_per_minute if rates else 0,
            connections_per_address=config.connections_per_address if rates else 0,
            batch_calls=config.batch_calls,
            replay_operations=config.replay_operations,
            undo_seconds=config.undo_seconds,
            cursors_per_second=config.cursors_per_second,
        )

    def costs(self) -> Costs | None:
        """Return the measured hours times the price of an hour, or None where no price is configured."""
        config = self._config
        if not config.cost_per_hour and not config.cost_per_dreaming_hour:
            return None
        spans = self._uptime.hours()
        today, month, total = (
            span.up * config.cost_per_hour + span.dreaming * config.cost_per_dreaming_hour for span in spans
        )
        return Costs(config.currency, today, month, total, spans[2])

    def tell(self, response: pb.InfoResponse) -> None:
        """Put costs and donations into the answer of getInfo."""
        response.donations.extend(pb.Link(label=link.label, url=link.url) for link in self.links)
        costs = self.costs()
        if costs is not None:
            response.costs.currency = costs.currency
            response.costs.today, response.costs.month = costs.today, costs.month
            response.costs.total = costs.total
            response.costs.dreaming_hours, response.costs.up_hours = costs.hours.dreaming, costs.hours.up

    def text(self) -> str | None:
        """Return the operator's text for /about, as Markdown, or None where it is not set or not readable.

        The file is read each time, so that an edit needs no restart.
        """
        if not self._config.about:
            return None
        try:
            return read_small(Path(self._config.about))
        except (OSError, UnicodeDecodeError) as error:
            log.warning("the text of /about cannot be read", extra={"error": str(error)})
            return None
