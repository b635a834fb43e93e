-- Opens the file that NANLINT_FILE names, prints its findings, applies the first fix, and prints the findings again.
vim.filetype.add({ extension = { prototxt = "prototxt" } })
vim.o.swapfile = false
vim.cmd("edit " .. vim.env.NANLINT_FILE)

local published = 0
local publish = vim.lsp.handlers["textDocument/publishDiagnostics"]
vim.lsp.handlers["textDocument/publishDiagnostics"] = function(...)
  published = published + 1
  return publish(...)
end

local id = vim.lsp.start_client({
  name = "nanlint",
  cmd = { vim.env.NANLINT_PYTHON, "-m", "nanlint", "server" },
  root_dir = vim.fn.getcwd(),
})
vim.lsp.buf_attach_client(0, id)

local function say(...)
  io.stdout:write(table.concat({ ... }, " ") .. "\n")
end

local function shown(word)
  for _, one in ipairs(vim.diagnostic.get(0)) do
    say(word, tostring(one.lnum + 1), tostring(one.code or one.user_data.lsp.code))
  end
end

local function request(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, 20000) or {}
  return (answers[id] or {}).result
end

vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 20)
shown("before")
local wrong = vim.diagnostic.get(0, { severity = vim.diagnostic.severity.ERROR })[1]
local document = vim.lsp.util.make_text_document_params()
local at = { line = wrong.lnum, character = wrong.col }
local actions = request("textDocument/codeAction", {
  textDocument = document, range = { start = at, ["end"] = at }, context = { diagnostics = {} },
})
local count = published
vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16")
vim.wait(30000, function() return published > count end, 20)
shown("after")
local hover = request("textDocument/hover", { textDocument = document, position = at })
say("hover", hover and vim.split(hover.contents.value, "\n")[1] or "nothing")
vim.cmd("qa!")
