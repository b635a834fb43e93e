// Drives a real VS Code (code-server) in Chromium: squiggle, quick fix, hover, F12, completion. Writes screenshots.
//
//   node run.mjs CODE_SERVER_FOLDER NANLINT OUTPUT_FOLDER
//
// CODE_SERVER_FOLDER has node_modules with code-server and playwright-core; NANLINT is the program's path; the
// packed extension, nanlint.vsix, lies in the folder above. Chromium is /usr/bin/chromium, or $CHROMIUM.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [tools, nanlint, output] = process.argv.slice(2).map((one) => resolve(one));
const here = dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(join(tools, "package.json"))("playwright-core");
const server = join(tools, "node_modules/.bin/code-server");
const port = 18321;

const NET = `name: "small"
layer {
  name: "data" type: "Input" top: "data"
  input_param { shape { dim: 4 dim: 3 dim: 8 dim: 8 } }
}
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param {
    num_output: 5
    kernel_sise: 3
  }
}
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer {

}
`;

const home = mkdtempSync(join(tmpdir(), "nanlint-vscode-"));
const project = join(home, "project");
const data = join(home, "data");
mkdirSync(project);
mkdirSync(join(data, "User"), { recursive: true });
mkdirSync(output, { recursive: true });
writeFileSync(join(project, "net.prototxt"), NET);
writeFileSync(join(data, "User/settings.json"), JSON.stringify({
  "nanlint.command": [nanlint],
  "security.workspace.trust.enabled": false,
  "workbench.startupEditor": "none",
  "editor.hover.delay": 100,
}));
const places = ["--user-data-dir", data, "--extensions-dir", join(home, "extensions")];
execFileSync(server, [...places, "--install-extension", join(here, "../nanlint.vsix")], { stdio: "inherit" });
const running = spawn(server, [...places, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry"]);

let failed = false;
function check(what, holds) {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  failed ||= !holds;
}

async function until(what, ask, milliseconds = 60000) {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    if (await ask().catch(() => false)) return true;
    await new Promise((done) => setTimeout(done, 200));
  }
  return false;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
  const address = `http://127.0.0.1:${port}/?folder=${project}`;
  await until("the server", async () => (await fetch(address)).ok);
  await page.goto(address, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".monaco-workbench", { timeout: 90000 });
  await page.waitForTimeout(4000);

  const keys = async (...pressed) => {
    for (const key of pressed) {
      await page.keyboard.press(key);
      await page.waitForTimeout(400);
    }
  };
  const to = async (place) => {
    await keys("Control+G");
    await page.keyboard.type(place);
    await keys("Enter");
  };
  const lines = () => page.$$eval(".view-line", (all) => all.map((one) => one.textContent.replaceAll("\u00a0", " ")));

  await page.dblclick('.explorer-folders-view >> text="net.prototxt"', { timeout: 60000 });
  check("a misspelt field has a squiggle", await until("squiggle", async () => await page.$(".squiggly-error") !== null));
  await page.screenshot({ path: join(output, "squiggle.png") });

  const squiggles = async () => (await page.$$(".squiggly-error")).length;
  const before = await squiggles();
  await to("10:7");
  await keys("Control+.");
  await page.waitForTimeout(2500);
  await page.screenshot({ path: join(output, "quick-fix.png") });
  await keys("Enter");
  check("its quick fix writes the field", await until("fix", async () => (await lines()).some((one) => /kernel_size: 3/.test(one)), 15000));
  check("and the squiggle goes", await until("gone", async () => await squiggles() < before, 30000));

  await to("7:10");
  await keys("Control+K", "Control+I");
  check("a hover shows the shape", await until("hover", async () => /4x5x6x6/.test(await page.textContent(".monaco-hover-content")), 15000));
  await page.screenshot({ path: join(output, "hover.png") });
  await keys("Escape");

  const conv = NET.split("\n")[12].indexOf('"conv"') + 3;
  await to(`13:${conv}`);
  await keys("F12");
  const status = async () => (await page.textContent("#status\\.editor\\.selection")) ?? "";
  check("F12 leads to the layer that made the blob", await until("definition", async () => /Ln 7,/.test(await status()), 15000));

  await to("15:1");
  await page.keyboard.type("  pooling");
  await keys("Control+Space");
  check("completion proposes pooling_param", await until("proposal", async () => /pooling_param/.test(await page.textContent(".suggest-widget")), 15000));
  await page.screenshot({ path: join(output, "completion.png") });
} catch (error) {
  check(String(error), false);
} finally {
  await browser.close();
  running.kill();
}
process.exit(failed ? 1 : 0);
