"""What a caller has already (RFC 9110, 13.1.2)."""

import pytest
from starlette.requests import Request

from dreamcanvas.web.caching import has, not_modified


def asking(if_none_match: str | None) -> Request:
    lines = [] if if_none_match is None else [(b"if-none-match", if_none_match.encode())]
    return Request({"type": "http", "headers": lines})


@pytest.mark.parametrize("header", ['"3-7"', 'W/"3-7"', '"1", "3-7"', '"1",W/"3-7" ', "*"])
def test_who_has_it_is_told_so_and_no_more(header: str) -> None:
    headers = {"ETag": '"3-7"', "Cache-Control": "no-cache", "X-Canvas-Seq": "7"}
    answer = not_modified(asking(header), headers)
    assert answer is not None
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", '"3-7"')
    assert (answer.headers["cache-control"], answer.headers["x-canvas-seq"]) == ("no-cache", "7")
    assert has(asking(header), '"3-7"')


@pytest.mark.parametrize("header", [None, "", '"3-8"', "3-7", '"13-7"', 'w/"3-7"', '"3-7'])
def test_who_has_it_not_is_sent_it(header: str | None) -> None:
    assert not_modified(asking(header), {"ETag": '"3-7"'}) is None
