"""The methods that callers may call: every handler of both services, listed once."""

from functools import cache
from importlib import resources
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from dreamcanvas import __version__
from dreamcanvas.access.quotas import Client, Quotas
from dreamcanvas.api.admin_service import AdminService, guarded
from dreamcanvas.api.painter_service import PainterService
from dreamcanvas.proto import admin_pb2, dreamcanvas_pb2
from dreamcanvas.rpc import openrpc
from dreamcanvas.rpc.jsonrpc import Encoded
from dreamcanvas.rpc.service import Handler, Service

ADMIN: Final = "admin"
DISCOVER_WORK: Final = 1  # what rpc.discover costs, in units of work


def painter_handlers(painter: PainterService) -> dict[str, Handler[Client]]:
    """Return the handlers of DreamPainter, in the order in which its OpenRPC document has them."""
    return {
        "paint": painter.paint,
        "getCanvas": painter.get_canvas,
        "subscribe": painter.subscribe,
        "undo": painter.undo,
        "cursor": painter.cursor,
        "getInfo": painter.get_info,
        "getHistory": painter.get_history,
        "getFrame": painter.get_frame,
    }


def admin_handlers(admin: AdminService) -> dict[str, Handler[Client]]:
    """Return the handlers of DreamAdmin, each for callers with the operator's token only."""
    handlers: dict[str, Any] = {
        "state": admin.state,
        "readOnly": admin.read_only,
        "nextStyle": admin.next_style,
        "rest": admin.rest,
        "announce": admin.announce,
        "who": admin.who,
        "restore": admin.restore,
        "ban": admin.ban,
        "unban": admin.unban,
        "bans": admin.bans,
        "acts": admin.acts,
    }
    return {name: guarded(handler) for name, handler in handlers.items()}


def service_of(
    painter: PainterService, admin: AdminService, *, quotas: Quotas, dabs_per_call: int
) -> Service[Client]:
    """Return the service that answers all calls: DreamPainter's, and DreamAdmin's as `admin.METHOD`."""
    handlers = painter_handlers(painter)

    def discover(caller: Client) -> Encoded:
        quotas.spend_work(caller, DISCOVER_WORK)
        return document(tuple(handlers), dabs_per_call)

    return Service(
        dreamcanvas_pb2.DESCRIPTOR.services_by_name["DreamPainter"],
        handlers,
        discover=discover,
        most_items=dabs_per_call,
        mounted={ADMIN: Service(admin_pb2.DESCRIPTOR.services_by_name["DreamAdmin"], admin_handlers(admin))},
    )


@cache
def document(methods: tuple[str, ...], dabs_per_call: int) -> Encoded:
    """Return the OpenRPC document of DreamPainter with these methods."""
    schema = resources.files("dreamcanvas.proto").joinpath("dreamcanvas.binpb").read_bytes()
    return Encoded(
        openrpc.document(
            FileDescriptorSet.FromString(schema),
            service="DreamPainter",
            methods=methods,
            title="Dreamcanvas",
            version=__version__,
            limits={"dabs_per_call": dabs_per_call},
        )
    )
