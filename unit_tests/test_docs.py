"""What the documents say of the code is true."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
# Notes on the API that are no part of the repository, by section.
PRIVATE_NOTES = re.compile(rb"mixpanel-api\s+\d")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def named_tests(text: str) -> list[str]:
    """The tests that a text names; each has to exist."""
    file, found = "", []
    for named, test in re.findall(r"`((?:unit_tests/[\w/]+\.py)?)::(test_\w+)`", text):
        file = named or file
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file} has no {test}"
        found.append(test)
    return found


def test_every_behaviour_names_a_test_that_exists() -> None:
    text = (ROOT / "BEHAVIOR.md").read_text()
    quirks = re.split(r"\n(?=\d+\. \*\*)", text)[1:]
    assert quirks
    for quirk in quirks:
        assert named_tests(quirk), quirk


def test_every_promise_of_reliability_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    figures, *promises = re.split(r"\n## ", text)[1:]
    assert figures.startswith("Figures")
    for promise in promises:
        heading, _, told = promise.partition("\n")
        assert named_tests(told) or not told.strip(), heading


def test_make_targets_in_the_readme_exist() -> None:
    rules = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", rules, re.MULTILINE), target


@pytest.mark.parametrize("citation", [b"(mixpanel-api 4)", b"(older; mixpanel-api\n    4.4)"])
def test_a_citation_of_private_notes_is_recognised(citation: bytes) -> None:
    assert PRIVATE_NOTES.search(citation)


def test_evidence_is_cited_where_a_reader_can_follow_it() -> None:
    command = ["git", "ls-files", "-z", "--", ":!unit_tests/test_docs.py"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    files = [path for name in listed.stdout.decode().split("\0") if (path := ROOT / name).is_file()]
    assert ROOT / "mixpanel_emulator" / "FIDELITY.md" in files
    assert [path for path in files if PRIVATE_NOTES.search(path.read_bytes())] == []
