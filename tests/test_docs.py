"""The site: its pages lead somewhere, its tables are nanlint's own, and it builds without a warning."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from nanlint import SITE
from nanlint.engine.explain import explain
from nanlint.rules.registry import rules
from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
PAGES = sorted((DOCS / "pages").glob("*.md"))
NAMES = {rule.name for rule in rules()}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    pytest.importorskip("mkdocs", reason="pip install 'nanlint[docs]'")
    spec = importlib.util.spec_from_file_location("hooks", DOCS / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_rules_and_pages(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
        rule = re.fullmatch(r"rules/([\w-]+)\.md", target)
        made = {"rules/index.md", "nanlint.schema.json", "lr.svg", "net.svg"}
        assert target in made or (rule and rule[1] in NAMES) or (page.parent / target).is_file(), target


def test_every_page_is_in_the_navigation() -> None:
    listed = yaml.safe_load((DOCS / "mkdocs.yml").read_text())
    targets = {path for entry in listed["nav"] for path in entry.values()}
    assert targets - {"rules/index.md"} == {page.name for page in PAGES}
    assert listed["site_url"] == f"{SITE}/"


def test_a_rule_has_the_page_that_explain_shows(hooks: ModuleType) -> None:
    rule = next(rule for rule in rules() if rule.name == "zero-clip-gradients")
    assert hooks.page(rule).startswith(explain(rule))
    index = "\n".join(hooks.index())
    assert all(f"({name}.md)" in index for name in NAMES)


def test_the_tables_are_filled_in(hooks: ModuleType) -> None:
    for page in PAGES:
        shown = hooks.on_page_markdown(page.read_text())
        assert "<!--" not in shown
    assert "error[POOL001] empty-pooling-window" in hooks.on_page_markdown("<!-- story -->")
    assert "| `fail-on` |" in hooks.on_page_markdown("<!-- keys -->")


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(DOCS / "mkdocs.yml")]
    done = subprocess.run([*command, "-d", str(tmp_path / "site")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {page.parent.name for page in (tmp_path / "site" / "rules").glob("*/index.html")} == NAMES
