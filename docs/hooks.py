"""What the site shows of nanlint itself: a page a rule, the keys of the configuration, the options, the forks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from nanlint import config
from nanlint.commands import COMMANDS, module
from nanlint.config.keys import KEYS
from nanlint.config.schema import schema
from nanlint.engine.explain import explain
from nanlint.options import Option, fields_of
from nanlint.report.formats import FORMATS
from nanlint.rules.registry import Rule, rules
from nanlint.schema.fork_names import REPOSITORIES

STORIES = Path(__file__).parent.parent / "examples" / "stories"
STORY = STORIES / "pooling-off-the-edge" / "bad"

PICTURES = {
    "lr.svg": ("lr", "rate-too-high/good/solver.prototxt", "--output-format", "svg"),
    "net.svg": ("graph", "rate-too-high/good/solver.prototxt", "--output-format", "svg"),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and the configuration's schema."""
    for rule in rules():
        files.append(File.generated(config, f"rules/{rule.name}.md", content=page(rule)))
    files.append(File.generated(config, "rules/index.md", content="\n".join(index())))
    files.append(File.generated(config, "nanlint.schema.json", content=json.dumps(schema(), indent=1)))
    for name, call in PICTURES.items():
        files.append(File.generated(config, name, content=printed(*call)))
    return files


def printed(*arguments: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "nanlint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=STORIES).stdout


def on_page_markdown(markdown: str, **_: object) -> str:
    """`<!-- keys -->` and the like are the tables of that name."""
    return re.sub(r"<!-- (\w+) -->", lambda found: "\n".join(TABLES[found[1]]()), markdown)


def page(rule: Rule) -> str:
    """The page that `nanlint explain` shows."""
    return explain(rule) + f"\n\nSilence it with `# nanlint: ignore[{rule.code}]` and a reason.\n"


def index() -> Iterator[str]:
    """Every rule, by the letters of its code."""
    yield "# Rules\n\nAn **error** is certain, a **warning** likely, an **info** worth knowing.\n"
    for letters, group in groupby(rules(), key=lambda rule: rule.code.rstrip("0123456789")):
        yield f"## {letters}\n\n| code | rule | severity | finds |\n|---|---|---|---|"
        for rule in group:
            yield f"| {rule.code} | [{rule.name}]({rule.name}.md) | {rule.severity.value} | {_cell(rule.summary)} |"
        yield ""


def keys() -> Iterator[str]:
    yield "| key | value | |\n|---|---|---|"
    for name, key in KEYS.items():
        yield f"| `{name}` | {_kind(key.schema)} | {_cell(key.help)} |"


def options() -> Iterator[str]:
    for command in COMMANDS:
        yield f"## nanlint {command}\n\n{module(command).run.__doc__}\n\n| option | |\n|---|---|"
        for field in fields_of(module(command).Options):
            spelt = field.spelt
            words = f"{spelt.spelling} {spelt.metavar or ''}".strip() if isinstance(spelt, Option) else spelt.metavar
            choices = f" ({', '.join(spelt.choices)})" if isinstance(spelt, Option) and spelt.choices else ""
            yield f"| `{words}` | {_cell(spelt.help)}{choices} |"
        yield ""


def formats() -> Iterator[str]:
    yield ", ".join(f"`{name}`" for name in FORMATS)


def forks() -> Iterator[str]:
    yield "| `--caffe` | repository |\n|---|---|"
    for name, repository in sorted(REPOSITORIES.items()):
        yield f"| `{name}` | {_cell(str(repository))} |"


def story() -> Iterator[str]:
    """What nanlint prints of the example that begins the site."""
    from nanlint import engine
    from nanlint.engine.cases import working_in
    from nanlint.report import text
    from nanlint.report.style import painter

    with working_in(STORY):
        report = engine.check(["solver.prototxt"], config.Settings())
        yield "```text\n$ nanlint solver.prototxt"
        yield from text.lines(report, 100, painter(False))
        yield "```"


TABLES = {"keys": keys, "options": options, "formats": formats, "forks": forks, "story": story}


def _kind(schema: dict[str, object]) -> str:
    choices = schema.get("enum")
    if isinstance(choices, list):
        return ", ".join(f'`"{choice}"`' for choice in choices)
    return {"array": "list", "object": "table"}.get(str(schema["type"]), str(schema["type"]))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
