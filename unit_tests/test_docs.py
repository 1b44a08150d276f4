"""What the documents say of the code is true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from source_mixpanel.config.spec import GROUPS, connection_specification
from unit_tests.documents import Place, blocks, every_block

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = [ROOT, *(ROOT / name for name in ("unit_tests", "integration_tests", "source_mixpanel"))]
"""Where a file is that a document names without its folder."""

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def spans(text: str) -> list[str]:
    """What stands in a text as code, without its blocks."""
    return re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def commands(text: str) -> list[str]:
    """What stands in a text as code, its blocks among them."""
    return [*spans(text), *re.findall(r"```.*?```", text, re.DOTALL)]


def found(file: str) -> Path:
    """A file of ours by the name that a document gives it."""
    [path] = {path for folder in FOLDERS if (path := folder / file).is_file()}
    return path


def named_tests(text: str) -> list[str]:
    """The tests that a text names; each has to exist, and `::test` is one of the last file."""
    file, tests = "", []
    for span in spans(text):
        named = re.fullmatch(r"([\w/]+\.py)?::(test_\w+)", span)
        if named:
            file = named[1] or file
            assert f"def {named[2]}(" in found(file).read_text(), f"{file} has no {named[2]}"
            tests.append(named[2])
    return tests


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@every_document
def test_the_tests_it_names_exist(path: Path) -> None:
    text = path.read_text()
    assert len(named_tests(text)) == text.count("::test_")


@every_document
def test_the_files_it_names_exist(path: Path) -> None:
    named = [span for span in spans(path.read_text()) if re.fullmatch(r"[\w/]+\.py", span)]
    missing = [file for file in named if not any((top / file).is_file() for top in FOLDERS)]
    assert missing == []


@every_document
def test_the_make_targets_it_names_exist(path: Path) -> None:
    rules = (ROOT / "Makefile").read_text()
    for command in commands(path.read_text()):
        for target in re.findall(r"\bmake ([a-z][a-z-]*)", command):
            assert re.search(rf"^{target}:", rules, re.MULTILINE), target


def test_the_hooks_of_commits_run_make_targets() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    run = re.findall(r"entry: make ([a-z-]+)$", hooks, re.MULTILINE)
    assert len(run) == hooks.count("- id: ")
    rules = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", rules, re.MULTILINE) for target in run)


def test_the_map_for_contributors_leads_to_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [table] = re.findall(r"\| what changes \|[^\n]*\n\|---[^\n]*\n(.*?)\n\n", text, re.DOTALL)
    for row in table.splitlines():
        guess, file, name, _tests = spans(row)
        assert file.startswith(f"source_mixpanel/{guess}"), row
        assert re.search(rf"^(def |class )?{name}\b", (ROOT / file).read_text(), re.MULTILINE), row


def test_every_behaviour_says_why_it_matters_and_names_a_test() -> None:
    text = (ROOT / "BEHAVIOR.md").read_text()
    quirks = re.split(r"\n(?=\d+\. \*\*)", text)[1:]
    assert quirks
    for quirk in quirks:
        assert named_tests(quirk), quirk
        assert quirk.count("*Why this matters*: ") == 1, quirk


def test_every_promise_of_reliability_names_a_test() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    figures, *promises = re.split(r"\n## ", text)[1:]
    assert figures.startswith("Figures")
    for promise in promises:
        heading, _, told = promise.partition("\n")
        assert named_tests(told) or not told.strip(), heading


def test_every_check_of_the_older_suite_is_covered_by_a_test() -> None:
    text = (ROOT / "docs" / "acceptance.md").read_text()
    [table] = re.findall(r"\| its check \| ours \|\n\|---\|---\|\n(.*?)\n\n", text, re.DOTALL)
    for row in table.splitlines():
        assert named_tests(row), row


def test_every_setting_of_the_form_is_in_the_table_of_its_group_under_an_anchor() -> None:
    text = (ROOT / "docs" / "integration.md").read_text()
    block = r'### ([^\n]+)\n\n<FieldAnchor field="([\w,]+)">\n\n(.*?)\n\n</FieldAnchor>\n'
    told = {}
    for title, anchors, held in re.findall(block, text, re.DOTALL):
        [rows] = re.findall(r"\| setting \| default [^\n]*\n\|---[^\n]*\n(.*)", held, re.DOTALL)
        told[title] = [spans(row.split("|")[1])[0] for row in rows.splitlines()]
        assert told[title] == anchors.split(",")
    fields = connection_specification()["properties"]
    assert told == {
        group.title: [key for key in group.fields.split() if not fields[key].get("airbyte_hidden")]
        for group in GROUPS
    }


def test_the_documentation_pages_marks_of_the_platform_are_closed() -> None:
    text = (ROOT / "docs" / "integration.md").read_text()
    for opened, closed in re.findall(
        r"<(?!/)(FieldAnchor|HideInUI)[^>]*>|<!-- (env:\w+) -->", text
    ):
        mark = opened or closed
        assert len(re.findall(rf"<(?:!-- )?/{mark}\b", text)) == len(
            re.findall(rf"<(?:!-- )?{mark}\b", text)
        )


def test_the_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+)", (ROOT / "README.md").read_text()))
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= linked


def test_every_row_of_the_comparison_names_its_evidence() -> None:
    [section] = re.findall(
        r"\n## Why this one\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL
    )
    _, _, *rows = [line.strip("|").split("|") for line in section.splitlines() if line[:1] == "|"]
    assert [row[1].strip()[-3:] for row in rows] == [f"({n + 1})" for n in range(len(rows))]
    for number in range(1, len(rows) + 1):
        assert re.search(rf"^{number} `[\w/]+\.py::test_\w+`[,.]$", section, re.MULTILINE), number
    for row in rows:
        for told in row[2:]:
            assert re.search(r"\([rcd]\) *$", told) or told.strip() == "not told", row


RUN = ("README.md", "docs/integration.md", "docs/docker.md")
"""Documents whose every block is run by a test, by `blocks` with plain words."""


def places_run(text: str) -> Iterator[Place]:
    """The places whose blocks the tests in a file take."""
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == blocks.__name__:
                    yield Place(*map(ast.literal_eval, call.args))


def test_every_block_is_run_by_a_test() -> None:
    files = [path for top in FOLDERS[1:3] for path in top.rglob("test_*.py")]
    run = {place for path in files for place in places_run(path.read_text())}
    shown = {place for page in RUN for place, _ in every_block(page)}
    assert sorted(shown - run) == [], "these blocks are run by no test"
    assert sorted(run - shown) == [], "these blocks are gone"


def test_a_block_is_found_wherever_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```\na\n```\n# One\n```sh\n# two\nb\n```\n## Two\n```sh\n```\n```sh\nc\n```\n")
    found = [(heading, language, block) for (_, heading, language), block in every_block(str(page))]
    assert found == [
        ("", "", "a\n"),
        ("One", "sh", "# two\nb\n"),
        ("Two", "sh", ""),
        ("Two", "sh", "c\n"),
    ]


def test_the_knobs_of_long_runs_exist() -> None:
    text, rules = (ROOT / "docs" / "testing.md").read_text(), (ROOT / "Makefile").read_text()
    knobs = {span.partition("=")[0] for span in spans(text) if re.match(r"[A-Z]", span)}
    assert len(knobs) > len({"FAULTS", "KILLS", "EXAMPLES"})
    for knob in knobs:
        assert re.search(rf"^{knob} \?=|\b{knob}=\$", rules, re.MULTILINE), knob


def test_the_markers_that_are_told_select_tests() -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    [told] = re.findall(r"Three markers select tests: (.*?)\n\n", text, re.DOTALL)
    tests = "".join(path.read_text() for path in (ROOT / "integration_tests").glob("test_*.py"))
    used = set(re.findall(r"^pytestmark = pytest\.mark\.(\w+)$", tests, re.MULTILINE))
    assert {span for span in spans(told) if span.islower() and "make" not in span} == used
