"""An Atom feed (RFC 4287) of the newest movies. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from dreamcanvas.history.windows import moment

_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Entry:
    """A movie: its title, the fragment of the history page that shows it, when it was complete (ms since
    1970), the paths of the movie and its poster, the movie's bytes, and a sentence about it.
    """

    title: str
    fragment: str
    time: int
    movie: str
    poster: str
    bytes: int
    summary: str


def atom(base: str, entries: Iterable[Entry]) -> bytes:
    """Return the feed's XML. `base` is the server's address with a slash at its end."""
    ET.register_namespace("", _ATOM)
    newest = sorted(entries, key=lambda entry: entry.time, reverse=True)
    feed = ET.Element(_tag("feed"))
    _text(feed, "title", "Dreamcanvas: movies")
    _text(feed, "id", f"{base}history")
    _text(feed, "updated", moment(newest[0].time if newest else 0))
    _link(feed, "self", f"{base}history.atom", "application/atom+xml")
    _link(feed, "alternate", f"{base}history", "text/html")
    author = ET.SubElement(feed, _tag("author"))
    _text(author, "name", "Everybody who drew")
    for entry in newest:
        item = ET.SubElement(feed, _tag("entry"))
        page = f"{base}history#{entry.fragment}"
        _text(item, "title", entry.title)
        _text(item, "id", page)
        _text(item, "updated", moment(entry.time))
        _link(item, "alternate", page, "text/html")
        _link(item, "enclosure", urljoin(base, entry.movie), "video/mp4", str(entry.bytes))
        _text(item, "summary", entry.summary)
        content = ET.SubElement(item, _tag("content"), type="xhtml")
        division = ET.SubElement(content, "{http://www.w3.org/1999/xhtml}div")
        poster = urljoin(base, entry.poster)
        ET.SubElement(division, "{http://www.w3.org/1999/xhtml}img", src=poster, alt=entry.summary)
    ET.indent(feed)
    text: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text


def _tag(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _tag(name)).text = text


def _link(parent: ET.Element, rel: str, href: str, type_: str, length: str | None = None) -> None:
    attributes = {"rel": rel, "href": href, "type": type_, **({"length": length} if length else {})}
    ET.SubElement(parent, _tag("link"), attributes)
