import { execFile } from "node:child_process";
import * as path from "node:path";
import * as vscode from "vscode";
import { LanguageClient, State, TransportKind, type Executable } from "vscode-languageclient/node";

let client: LanguageClient | undefined;
let status: vscode.StatusBarItem;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  status = vscode.window.createStatusBarItem("nanlint", vscode.StatusBarAlignment.Right);
  status.name = "nanlint";
  status.command = "nanlint.restart";
  context.subscriptions.push(
    status,
    vscode.commands.registerCommand("nanlint.restart", restart),
    vscode.commands.registerCommand("nanlint.view", () => view(context)),
    vscode.commands.registerCommand("nanlint.lr", rates),
    vscode.commands.registerCommand("nanlint.explain", explain),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("nanlint.command")) void restart();
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** The words that start nanlint, as the settings have them. */
function command(): string[] {
  const words = vscode.workspace.getConfiguration("nanlint").get<string[]>("command");
  return words?.length ? words : ["nanlint"];
}

async function start(): Promise<void> {
  const [program, ...words] = command();
  const run: Executable = { command: program, args: [...words, "server"], transport: TransportKind.stdio };
  client = new LanguageClient("nanlint", "nanlint", { run, debug: run }, {
    documentSelector: [{ language: "prototxt" }],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{nanlint.toml,pyproject.toml}") },
  });
  client.onDidChangeState(({ newState }) => show(newState));
  try {
    await client.start();
  } catch (error) {
    show(State.Stopped);
    const choice = await vscode.window.showErrorMessage(
      `nanlint did not start (${[program, ...words].join(" ")} server): ${String(error)}. ` +
        "Install it with: pip install 'nanlint[server]', or say in the settings how it is started.",
      "Settings",
    );
    if (choice) await vscode.commands.executeCommand("workbench.action.openSettings", "nanlint.command");
  }
}

async function restart(): Promise<void> {
  await client?.stop().catch(() => undefined);
  await client?.dispose().catch(() => undefined);
  await start();
}

function show(state: State): void {
  const words = { [State.Running]: "nanlint", [State.Starting]: "nanlint …", [State.Stopped]: "nanlint (stopped)" };
  status.text = words[state];
  status.tooltip = "Restart the server";
  status.show();
}

/** What a command of nanlint prints; an error holds what it said of why it could not. */
function nanlint(words: string[], folder: string): Promise<string> {
  const [program, ...before] = command();
  return new Promise((resolve, reject) => {
    execFile(program, [...before, ...words], { cwd: folder, maxBuffer: 1 << 28 }, (error, output, said) => {
      if (error && !output) reject(new Error(said.trim() || error.message));
      else resolve(output);
    });
  });
}

/** The file in the active editor, saved, so that commands see what the reader sees. */
async function current(): Promise<string | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (!document || document.languageId !== "prototxt" || document.uri.scheme !== "file") {
    void vscode.window.showInformationMessage("Open a solver or a net first.");
    return undefined;
  }
  if (document.isDirty) await document.save();
  return document.uri.fsPath;
}

async function said<T>(what: Promise<T>): Promise<T | undefined> {
  try {
    return await what;
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

async function view(context: vscode.ExtensionContext): Promise<void> {
  const file = await current();
  if (!file) return;
  const page = await said(nanlint(["view", file], path.dirname(file)));
  if (page === undefined) return;
  const panel = vscode.window.createWebviewPanel("nanlint", path.basename(file), vscode.ViewColumn.Beside, {
    enableScripts: true,
    retainContextWhenHidden: true,
  });
  panel.webview.html = page;
  context.subscriptions.push(panel);
}

async function rates(): Promise<void> {
  const file = await current();
  if (!file) return;
  const table = await said(nanlint(["lr", file], path.dirname(file)));
  if (table !== undefined) await open(table, "plaintext");
}

async function explain(): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return;
  const found = vscode.languages
    .getDiagnostics(editor.document.uri)
    .filter((one) => one.source === "nanlint" && one.range.contains(editor.selection.active))
    .map((one) => String(typeof one.code === "object" ? one.code.value : one.code));
  const code = found[0] ?? (await vscode.window.showInputBox({ prompt: "A rule: its code or its name" }));
  if (!code) return;
  const page = await said(nanlint(["explain", code], path.dirname(editor.document.uri.fsPath)));
  if (page !== undefined) await open(page, "markdown");
}

async function open(content: string, language: string): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ content, language });
  await vscode.window.showTextDocument(document, vscode.ViewColumn.Beside, true);
}
