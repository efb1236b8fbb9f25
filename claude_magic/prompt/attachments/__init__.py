"""Attachments: files, addresses and variables, as content blocks."""
