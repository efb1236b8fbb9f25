"""The options of a `%%claude` line: their table, parser and formatter."""
