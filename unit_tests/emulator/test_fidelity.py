from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from unit_tests import judge

HERE = Path(__file__).parent
TEXT = judge.FIDELITY.read_text(encoding="utf-8")
# Of the descriptions' section, the judge of the whole run looks after each row.
BEFORE, _, REST = TEXT.partition(judge.HEADING)
SECTION, _, AFTER = REST.partition("\n## ")
ROW = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def defined(name: str) -> set[str]:
    tree = ast.parse((HERE / name).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test_that_exists() -> None:
    rows = [
        line
        for line in (BEFORE + AFTER).splitlines()
        if line.startswith("| ") and "---" not in line
    ]
    rows = [line for line in rows if not line.endswith("| test |")]
    assert len(rows) > 50
    for line in rows:
        match = ROW.search(line)
        assert match, line
        assert match[2] in defined(match[1]), line


def test_every_row_of_evidence_says_of_which_kind_it_is() -> None:
    modelled = BEFORE.split("## Modelled on evidence")[1].split("\n## ")[0]
    rows = [line.split(" | ")[1] for line in modelled.splitlines() if ".py::" in line]
    assert len(rows) > 50
    for evidence in rows:
        assert re.match(r"(docs\b|OpenAPI|observed|reported|HTTP$)", evidence), evidence


def test_every_deviation_is_read_and_has_its_evidence() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    assert len(rows) == len(judge.known()) > 40
    assert all(line.split(" | ")[3].strip(" |") for line in rows)


def test_every_kind_of_truth_is_named(shop: Any) -> None:
    known = re.findall(r"`([a-z_]+)`", TEXT.split("Kinds:")[1])
    stored = [kind for kind in known if kind not in ("engage", "insights")]
    assert all(shop.control.truth(kind) for kind in stored)
