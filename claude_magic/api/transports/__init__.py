"""Requests in; status, headers and bytes out."""
