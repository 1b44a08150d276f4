"""Draws what `make demo` prints and the page that it leaves, side by side (`make picture`).

python scripts/picture.py SAID.txt REPORT.html PICTURE.png
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parent.parent
SIZE = "1760,1340"
PAGE = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; display: flex; gap: 20px; padding: 20px; background: #e8e7f6; }}
  img {{ width: 900px; align-self: start; border-radius: 10px; }}
  div {{ width: 800px; height: 1240px; overflow: hidden; border-radius: 10px; background: #fff; }}
  iframe {{ width: 1048px; height: 1625px; border: 0; zoom: 0.763; }}
</style><img src="terminal.svg"><div><iframe src="{report}" scrolling="no"></iframe></div>"""


def terminal(said: str) -> str:
    """A terminal with these lines, as SVG."""
    console = Console(record=True, width=104, file=io.StringIO(), highlight=False)
    console.print(Text("$ make demo", "bold"))
    text = Text(said)
    text.highlight_regex(r"(?m)^EQUAL$", "bold green")
    console.print(text)
    return console.export_svg(title="make demo", theme=MONOKAI)


def main(said: Path, report: Path, picture: Path) -> None:
    """Draw the picture; what it is made of goes beside the report."""
    folder = report.resolve().parent
    (folder / "terminal.svg").write_text(terminal(said.read_text("utf-8")), "utf-8")
    page = folder / "picture.html"
    page.write_text(PAGE.format(report=report.name), "utf-8")
    chromium = subprocess.check_output([ROOT / "scripts" / "have_chromium.sh"], text=True).strip()  # noqa: S603 - ours
    subprocess.run(  # noqa: S603 - a browser
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--virtual-time-budget=10000", f"--window-size={SIZE}",
         f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture.resolve()}",
         page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
