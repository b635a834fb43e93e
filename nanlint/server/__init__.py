"""The language server: the same findings as the command line, while the files are being written."""
