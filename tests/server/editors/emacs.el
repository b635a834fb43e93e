;; Opens the file that NANLINT_FILE names under eglot, prints its findings, applies the first fix, prints them again.
(require 'eglot)
(define-derived-mode prototxt-mode prog-mode "prototxt" (setq-local comment-start "#"))
(add-to-list 'auto-mode-alist '("\\.prototxt\\'" . prototxt-mode))
(add-to-list 'eglot-server-programs `(prototxt-mode . (,(getenv "NANLINT_PYTHON") "-m" "nanlint" "server")))
(setq eglot-sync-connect 30 eglot-autoreconnect nil eglot-confirm-server-initiated-edits nil)

(defun wait-for (what)
  (let ((end (+ (float-time) 30)))
    (while (and (not (funcall what)) (< (float-time) end)) (accept-process-output nil 0.05))))

(defun shown (word)
  (dolist (one (flymake-diagnostics))
    (princ (format "%s %d %s\n" word (line-number-at-pos (flymake-diagnostic-beg one)) (flymake-diagnostic-text one)))))

(find-file (getenv "NANLINT_FILE"))
(call-interactively 'eglot)
(wait-for (lambda () (flymake-start) (flymake-diagnostics)))
(shown "before")
(goto-char (flymake-diagnostic-beg
            (seq-find (lambda (one) (eq (flymake-diagnostic-type one) 'eglot-error)) (flymake-diagnostics))))
(let ((actions (eglot-code-actions (point) nil nil nil)))
  (eglot--apply-workspace-edit (plist-get (aref (vconcat actions) 0) :edit)))
(eglot--signal-textDocument/didChange)
(let ((before (length (flymake-diagnostics))))
  (wait-for (lambda () (flymake-start) (< (length (flymake-diagnostics)) before))))
(shown "after")
