"""The page: self-contained, the same for the same input, and alive in a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nanlint.config import Settings
from nanlint.engine import judged
from nanlint.engine.load import open_all
from nanlint.findings import Severity
from nanlint.logs.files import read
from nanlint.logs.finding import LogFinding
from nanlint.view.page import Run, page
from tests.view import nets


def written(*between: str) -> str:
    """A net whose pooling falls off the edge, whose loss only TRAIN has, with layers between the two."""
    data = nets.INPUT.replace('top: "data"', 'top: "data" top: "label"').replace("} } }", "} shape { dim: 1 } } }")
    last = f"between{len(between) - 1}" if between else "pool1"
    layers = (
        data,
        nets.conv("conv1", "data"),
        nets.relu("conv1"),
        'layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" '
        "pooling_param { pool: AVE kernel_size: 2 stride: 4 } }",
        *between,
        f'layer {{ name: "fc" type: "InnerProduct" bottom: "{last}" top: "fc" '
        "inner_product_param { num_output: 3 } }",
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" '
        "include { phase: TRAIN } }",
    )
    return "\n".join(layers)


SOLVER = """
net: "net.prototxt"
base_lr: 0.1
lr_policy: "fixed"
max_iter: 100
test_iter: 1
test_interval: 10
snapshot_prefix: "x"
"""


def made(folder: Path, net: str = written(), run: Run | None = None) -> str:
    (folder / "net.prototxt").write_text(net)
    solver = folder / "solver.prototxt"
    solver.write_text(SOLVER)
    opened = open_all([str(solver)], Settings())
    return page(opened.loaded[0], judged(opened, Settings()), run)


def told(html: str) -> dict[str, Any]:
    found = re.search(r'id="told">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found.group(1))
    return document


class Links(HTMLParser):
    """Collects whatever a browser would ask another place for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "srcset", "data", "action")]
        self.found += [
            f"{tag} href={value}" for name, value in attrs if name == "href" and not (value or "").startswith("#")
        ]


def test_the_page_asks_for_nothing(tmp_path: Path) -> None:
    html = made(tmp_path)
    links = Links()
    links.feed(html)
    assert links.found == []
    assert "default-src 'none'" in html
    assert "url(" not in html


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path) == made(tmp_path)


def test_findings_stand_in_the_page_and_on_their_nodes(tmp_path: Path) -> None:
    html = made(tmp_path)
    assert any(finding["layer"] == "pool1" for finding in told(html)["findings"])
    assert re.search(r'class="n shape (error|warning)', html)


def test_each_layer_has_its_shapes_fields_and_line(tmp_path: Path) -> None:
    document = told(made(tmp_path))
    rows = document["nets"][0]["layers"]
    conv1 = [document["texts"][number] for number in rows[1][:7]]
    assert conv1[:5] == ["conv1", "Convolution", "data", "conv1 1x16x32x32", "16x16x1x1, 16"]
    assert "kernel_size: 1" in conv1[5]


def test_layers_of_one_phase_are_marked(tmp_path: Path) -> None:
    assert re.search(r'class="n loss( \w+)? only"', made(tmp_path))


def test_a_log_adds_its_loss_and_what_was_found_in_it(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    lines = [f"I1128 10:00:0{step} 1 solver.cpp:239] Iteration {step}, loss = {5 - step}" for step in range(4)]
    log.write_text("\n".join(lines) + "\n")
    found = LogFinding("exploding-chain", Severity.WARNING, "`fc` went first", layer="fc", line=3)
    html = made(tmp_path, run=Run(read(str(log)), [found]))
    assert "<h2>Loss in " in html
    assert told(html)["findings"][-1]["message"] == "`fc` went first"
    assert re.search(r'class="n weights (error|warning)" data-l="4"', html)


def test_no_name_ends_the_script(tmp_path: Path) -> None:
    html = made(tmp_path, written().replace('name: "fc"', 'name: "</script><script>alert(1)</script>"'))
    assert "<script>alert" not in html
    assert any("</script>" in text for text in told(html)["texts"])


def test_a_file_without_a_readable_net_has_a_page(tmp_path: Path) -> None:
    assert "<main>" in made(tmp_path, "layer { name: ")


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
)
ACTS = """
<script>
const said = [];
const search = document.getElementById("search");
search.value = "pool1";
search.dispatchEvent(new Event("input"));
said.push("search " + document.querySelectorAll(".drawing:not([hidden]) .n:not(.dim)").length);
search.value = "";
search.dispatchEvent(new Event("input"));
[...document.querySelectorAll("#findings li")].find((one) => one.textContent.includes("POOL")).click();
said.push("hit " + document.querySelector(".hit title").textContent);
said.push("panel " + document.querySelector("#layer h3").textContent);
const all = document.querySelectorAll(".drawing:not([hidden]) .n").length;
document.getElementById("fold").click();
said.push("unfolded " + (document.querySelectorAll(".drawing:not([hidden]) .n").length > all));
document.querySelectorAll("[role=tab]")[1].click();
said.push("tab " + document.querySelector("[aria-selected=true]").textContent);
document.title = said.join("; ");
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine")
def test_search_findings_folding_and_tabs_work_in_a_browser(tmp_path: Path) -> None:
    assert BROWSER is not None
    between = [nets.conv(f"between{step}", f"between{step - 1}" if step else "pool1", 3) for step in range(5)]
    path = tmp_path / "page.html"
    path.write_text(made(tmp_path, written(*between)).replace("</body>", ACTS), encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title.group(1) == "search 1; hit pool1; panel pool1 · Pooling; unfolded true; tab TEST"
    assert "CONSOLE" not in done.stderr
