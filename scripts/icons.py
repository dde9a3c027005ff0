"""Draws the page's icons and its Open Graph picture into client/public: python scripts/icons.py [DREAM].

The icons come from client/public/icon.svg; DREAM is a picture of the canvas, docs/screenshots' first without.
"""

import base64
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.visitor import chromium  # noqa: E402

PUBLIC = ROOT / "client" / "public"
OG = (1200, 630)


def data_url(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def main() -> None:
    dream = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "dreams" / "landscape.jpg"
    icon = data_url(PUBLIC / "icon.svg", "image/svg+xml")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for side in (180, 192, 512):
            page = browser.new_page(viewport={"width": side, "height": side})
            page.set_content(
                f"<body style='margin:0;background:#1b1c21'><img src='{icon}' width='{side}' height='{side}'>"
            )
            page.screenshot(path=PUBLIC / f"icon-{side}.png")
            page.close()
        page = browser.new_page(viewport={"width": OG[0], "height": OG[1]})
        page.set_content(
            f"""<body style="margin:0;width:{OG[0]}px;height:{OG[1]}px;overflow:hidden;
                  font-family:system-ui,sans-serif;
                  background:url('{data_url(dream, "image/jpeg")}') center / cover">
                <div style="position:absolute;inset:auto 0 0 0;padding:120px 56px 44px;color:#fff;
                  background:linear-gradient(transparent, rgb(10 10 14 / 78%) 55%)">
                  <div style="display:flex;align-items:center;gap:24px">
                    <img src="{icon}" width="84" height="84" style="border-radius:18px">
                    <div><div style="font-size:60px;font-weight:700;line-height:1.1">Dreamcanvas</div>
                    <div style="font-size:30px">Draw together. Every few seconds it dreams.</div></div>
                  </div></div>"""
        )
        page.wait_for_timeout(300)
        page.screenshot(path=PUBLIC / "og.jpg", type="jpeg", quality=82)
        browser.close()


if __name__ == "__main__":
    main()
