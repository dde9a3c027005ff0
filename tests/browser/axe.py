"""Accessibility: axe-core's rules for WCAG 2.2 at level AA, on a page as it stands."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SCRIPT = Path(__file__).parents[2] / "client/node_modules/axe-core/axe.min.js"

RUN = """async tags => {
    const { violations, passes } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    return { violations, passes: passes.length };
}"""


@cache
def source() -> str:
    return SCRIPT.read_text()


def violations(page: Page) -> list[str]:
    """What axe finds wrong: the rule, the element, and what would mend it, a line for each element."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(source())
    found: dict[str, Any] = page.evaluate(RUN, list(TAGS))
    assert found["passes"] > 0, "axe did not look at the page"
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
