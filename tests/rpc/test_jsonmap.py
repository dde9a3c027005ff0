"""The protobuf JSON mapping."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.jsonmap import from_json, to_json


def test_64_bit_integers_are_numbers_and_names_are_camel_case() -> None:
    event = pb.CanvasEvent(timestamp=0, seq=2**52, dream_seq=3, resync=True)
    assert to_json(event) == {"timestamp": 0, "seq": 2**52, "dreamSeq": 3, "resync": True}


def test_bytes_enums_and_lists() -> None:
    assert to_json(pb.CanvasResponse(image=b"\x00\xff")) == {"image": "AP8="}
    assert to_json(pb.StatusEvent(dreamer=pb.StatusEvent.RESTING)) == {"dreamer": "RESTING"}
    assert to_json(pb.PaintsEvent(paints=[pb.PaintEvent(size=1)])) == {"paints": [{"size": 1}]}


@pytest.mark.parametrize("value", [5, "5", 5.0, "5.0", "0.5e1", "50E-1"])
def test_an_integer_may_be_a_number_or_a_string(value: Any) -> None:
    assert from_json({"since": value}, pb.SubscribeRequest).since == 5


def test_absent_and_null_are_absent() -> None:
    assert from_json(None, pb.CanvasRequest) == pb.CanvasRequest()
    request = from_json({"width": None}, pb.CanvasRequest)
    assert not request.HasField("width")


def test_both_names_of_a_field_but_not_twice() -> None:
    assert from_json({"last_call": 1}, pb.SubscribeResponse).last_call == 1
    with pytest.raises(InvalidParams, match="twice"):
        from_json({"lastCall": 1, "last_call": 2}, pb.SubscribeResponse)


def test_enums_by_name_and_number_and_base64_of_either_alphabet() -> None:
    assert from_json({"format": "WEBP"}, pb.CanvasRequest).format == pb.CanvasRequest.WEBP
    assert from_json({"format": 1}, pb.CanvasRequest).format == pb.CanvasRequest.PNG
    assert from_json({"session": "-_8"}, pb.SubscribeRequest).session == b"\xfb\xff"
    assert from_json({"session": "+/8="}, pb.SubscribeRequest).session == b"\xfb\xff"


def test_an_empty_object_is_a_message_that_is_there() -> None:
    assert from_json({"pos": {}}, pb.PaintRequest).HasField("pos")


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ([], "params", "by name"),
        ({"colour": 1}, "colour", "the fields are: pos, size, color"),
        ({"pos": {"z": 1}}, "pos.z", "the fields are: x, y"),
        ({"dabs": [{}, {"size": -1}]}, "dabs[1].size", "0 to 4294967295"),
        ({"dabs": [{"pos": {"x": "a"}}]}, "dabs[0].pos.x", "-2147483648 to 2147483647"),
        ({"dabs": {}}, "dabs", "array"),
        ({"dabs": [1]}, "dabs[0]", "object"),
        ({"pos": []}, "pos", "object"),
        ({"size": 1.5}, "size", "integer"),
        ({"size": True}, "size", "integer"),
        ({"size": "1.5"}, "size", "integer"),
        ({"size": "1e99"}, "size", "integer"),
        ({"size": 2**32}, "size", "0 to 4294967295"),
        ({"x" * 200: 1}, "x" * 79 + "…", "not a field"),
    ],
)
def test_errors_name_the_field_and_its_bounds(params: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidParams, match=words.replace("[", r"\[")) as caught:
        from_json(params, pb.PaintRequest)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("params", "field"),
    [({"session": "?"}, "session"), ({"batch": 1}, "batch"), ({"events": ["\ud800"]}, "events[0]")],
)
def test_errors_of_other_kinds(params: Any, field: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        from_json(params, pb.SubscribeRequest)
    assert caught.value.field == field


def test_an_unlisted_enum_value_is_an_error() -> None:
    with pytest.raises(InvalidParams, match=r"JPEG \(0\), PNG \(1\), WEBP \(2\)"):
        from_json({"format": 7}, pb.CanvasRequest)


@given(
    st.builds(
        pb.PaintEvent,
        pos=st.builds(pb.Position, x=st.integers(-(2**31), 2**31 - 1), y=st.integers(-(2**31), 2**31 - 1)),
        size=st.integers(0, 2**32 - 1),
        seq=st.integers(0, 2**53),
    )
)
def test_what_is_written_is_read(event: pb.PaintEvent) -> None:
    assert from_json(to_json(event), pb.PaintEvent) == event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["pos", "dabs", "size", "x", "color", "z"]), inner, max_size=4)
    ),
)


@given(JSON)
def test_any_json_is_a_message_or_invalid_params(params: Any) -> None:
    try:
        from_json(params, pb.PaintRequest)
    except InvalidParams as error:
        assert error.field
