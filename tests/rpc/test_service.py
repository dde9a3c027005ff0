"""From a descriptor to typed handlers."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import InvalidParams, MethodNotFound
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.connection import BinaryCall, TextCall
from dreamcanvas.rpc.service import Answer, Caller, Later, Service, Then

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["DreamPainter"]


def paint(caller: Caller[str], request: pb.PaintRequest) -> pb.PaintResponse:
    """Answers with who asked, how, and what."""
    assert caller.peer == "Ann"
    return pb.PaintResponse(seq=request.size, duplicate=caller.text)


def service(**handlers: Any) -> Service[str]:
    return Service(DESCRIPTOR, handlers)


def binary(method: str, payload: bytes = b"") -> BinaryCall:
    return BinaryCall(method, payload, 1)


def text(method: str, params: Any = None) -> TextCall:
    return TextCall(method, params, 1, notification=False, batch=None)


def test_a_handler_gets_the_caller_and_the_typed_request() -> None:
    made = service(paint=paint)
    assert made.call("Ann", binary("paint", b"\x10\x07")) == pb.PaintResponse(seq=7, duplicate=False)
    assert made.call("Ann", text("paint", {"size": 7})) == pb.PaintResponse(seq=7, duplicate=True)


@pytest.mark.parametrize("name", ["paint", "Paint"])
def test_the_first_letter_of_a_name_may_have_either_case(name: str) -> None:
    assert service(paint=paint).method(name).name == "paint"


@pytest.mark.parametrize("name", ["", "PAINT", "paInt", "draw", "rpc.discover", "undo", "Ｐaint", "x" * 500])
def test_a_method_that_is_not_there_is_not_found(name: str) -> None:
    with pytest.raises(MethodNotFound, match="there is no method") as caught:
        service(paint=paint).call("Ann", binary(name))
    assert len(caught.value.sentence) < 120


def test_a_method_that_the_descriptor_lacks_cannot_be_implemented() -> None:
    with pytest.raises(KeyError):
        service(draw=paint)


def test_methods_are_listed_with_their_messages() -> None:
    made = service(paint=paint, getInfo=paint)
    assert [(m.name, m.request_type, m.response_type) for m in made.methods] == [
        ("paint", pb.PaintRequest, pb.PaintResponse),
        ("getInfo", pb.InfoRequest, pb.InfoResponse),
    ]


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x05\x08", b"\x10"])
def test_a_payload_that_is_no_request_is_invalid_params(payload: bytes) -> None:
    with pytest.raises(InvalidParams, match="the payload is not a PaintRequest"):
        service(paint=paint).call("Ann", binary("paint", payload))


def test_an_unlisted_enum_value_is_invalid_params_in_both_encodings() -> None:
    made = service(getCanvas=paint)
    for call in (binary("getCanvas", b"\x50\x07"), text("getCanvas", {"format": 7})):
        with pytest.raises(InvalidParams, match=r"JPEG \(0\), PNG \(1\), WEBP \(2\)") as caught:
            made.call("Ann", call)
        assert caught.value.field == "format"


def test_other_unknown_fields_of_a_binary_request_are_ignored() -> None:
    assert service(paint=paint).call("Ann", binary("paint", b"\x10\x07\xf8\x07\x01")) == pb.PaintResponse(
        seq=7, duplicate=False
    )


def test_discover_is_json_rpc_s_own() -> None:
    with pytest.raises(MethodNotFound):
        service().call("Ann", text("rpc.discover"))
    made: Service[str] = Service(DESCRIPTOR, {}, discover=lambda _: {"openrpc": "1.3.2"})
    assert made.call("Ann", text("rpc.discover")) == {"openrpc": "1.3.2"}
    with pytest.raises(MethodNotFound):
        made.call("Ann", binary("rpc.discover"))


async def test_an_answer_may_be_ready_or_a_coroutine_or_come_later() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    then = Then(pb.InfoResponse(), lambda: None)

    async def slow(caller: Caller[str], request: pb.CanvasRequest) -> pb.CanvasResponse:
        await asyncio.sleep(0)
        return pb.CanvasResponse(seq=2)

    made = service(
        paint=lambda _caller, _request: Later(future, lambda seq: pb.PaintResponse(seq=seq)),
        getCanvas=slow,
        getInfo=lambda _caller, _request: then,
    )
    asyncio.get_running_loop().call_soon(future.set_result, 3)
    assert await made.answer("Ann", binary("paint")) == pb.PaintResponse(seq=3)
    assert await made.answer("Ann", binary("getCanvas")) == pb.CanvasResponse(seq=2)
    assert await made.answer("Ann", binary("getInfo")) is then


async def test_who_waits_for_a_later_answer_can_give_up_without_cancelling_it() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    made = service(paint=lambda _caller, _request: Later(future, lambda seq: pb.PaintResponse(seq=seq)))
    waiting: Coroutine[Any, Any, Answer] = made.answer("Ann", binary("paint"))
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert not future.cancelled()


async def test_what_a_handler_raises_is_raised() -> None:
    def broken(caller: Caller[str], request: pb.PaintRequest) -> pb.PaintResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await service(paint=broken).answer("Ann", binary("paint"))


@given(st.binary(max_size=60))
def test_any_payload_is_a_request_or_invalid_params(payload: bytes) -> None:
    made = service(paint=lambda _caller, _request: pb.PaintResponse())
    try:
        made.call("Ann", binary("paint", payload))
    except InvalidParams as error:
        assert "PaintRequest" in error.sentence
