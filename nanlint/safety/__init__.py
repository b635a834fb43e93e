"""The doors between nanlint and what is not its own: files that are read, files that are written, words of others."""
