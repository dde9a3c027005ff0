"""Counters in Prometheus' text format."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dreamcanvas.errors import InvalidParams, MethodNotFound, RpcError
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.telemetry.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """name and label values -> value"""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_every_metric_has_our_prefix_or_is_the_process_s() -> None:
    names = [family.name for family in text_string_to_metric_families(Metrics().text().decode())]
    assert {"dreamcanvas_calls", "dreamcanvas_dabs", "dreamcanvas_dream_seconds"} <= set(names)
    assert all(name.startswith(("dreamcanvas_", "process_")) for name in names)


def test_a_gauge_shows_what_is_so_when_it_is_asked_for() -> None:
    metrics, open_ = Metrics(), [1, 2]
    metrics.watch("connections", "Open websockets.", lambda: len(open_))
    assert samples(metrics)["dreamcanvas_connections",] == 2
    open_.append(3)
    assert samples(metrics)["dreamcanvas_connections",] == 3


def test_dabs_dreams_and_refusals_are_counted() -> None:
    metrics = Metrics()
    metrics.painted(3)
    metrics.painted(4)
    metrics.dreamt(1.25)
    metrics.limited("dabs")
    found = samples(metrics)
    assert found["dreamcanvas_dabs_total",] == 7
    assert (found["dreamcanvas_dream_seconds_count",], found["dreamcanvas_dream_seconds_sum",]) == (1, 1.25)
    assert found["dreamcanvas_limited_total", "dabs"] == 1


def test_calls_transactions_and_closes_are_timed_and_counted() -> None:
    metrics = Metrics()
    metrics.called("paint", None, 0.02)
    metrics.committed(0.5, 40)
    for code in (1013, 0, 4999):
        metrics.closed(code)
    found = samples(metrics)
    assert found["dreamcanvas_call_seconds_sum", "paint"] == 0.02
    assert found["dreamcanvas_commit_seconds_sum",] == 0.5
    assert found["dreamcanvas_commit_entries_sum",] == 40
    assert [found["dreamcanvas_closed_total", code] for code in ("1013", "none", "other")] == [1, 1, 1]


def test_two_servers_in_a_process_count_for_themselves() -> None:
    first, second = Metrics(), Metrics()
    first.painted(3)
    assert samples(first)["dreamcanvas_dabs_total",] == 3
    assert samples(second)["dreamcanvas_dabs_total",] == 0


@pytest.mark.parametrize(
    ("method", "error", "labels"),
    [
        ("paint", None, ("paint", "OK")),
        ("Paint", None, ("paint", "OK")),
        ("paint", InvalidParams("x"), ("paint", "INVALID_PARAMS")),
        ("rpc.discover", None, ("rpc.discover", "OK")),
        ("draw", MethodNotFound("x"), ("unknown", "METHOD_NOT_FOUND")),
        ("PAINT", MethodNotFound("x"), ("unknown", "METHOD_NOT_FOUND")),
        ("", MethodNotFound("x"), ("unknown", "METHOD_NOT_FOUND")),
    ],
)
def test_a_call_is_counted_by_method_and_result(
    method: str, error: RpcError | None, labels: tuple[str, str]
) -> None:
    metrics = Metrics()
    metrics.called(method, error, 0.002)
    metrics.called(method, error, 0.002)
    assert samples(metrics)["dreamcanvas_calls_total", *labels] == 2


def test_names_of_the_caller_s_making_make_no_labels() -> None:
    metrics = Metrics()
    for n in range(1000):
        metrics.called(f"method{n}", MethodNotFound("x"), 0.002)
    calls = {key[1:]: value for key, value in samples(metrics).items() if key[0] == "dreamcanvas_calls_total"}
    assert calls == {("unknown", "METHOD_NOT_FOUND"): 1000}


def test_the_methods_of_the_service_have_labels() -> None:
    metrics = Metrics()
    names = ("paint", "getCanvas", "subscribe", "undo", "cursor", "getInfo", "getHistory", "getFrame")
    for name in (*names, "rpc.discover"):
        metrics.called(name, None, 0.002)
    calls = {key[1]: value for key, value in samples(metrics).items() if key[0] == "dreamcanvas_calls_total"}
    assert calls == dict.fromkeys((*names, "rpc.discover"), 1.0)
    assert {method.name for method in pb.DESCRIPTOR.services_by_name["DreamPainter"].methods} == set(names)
