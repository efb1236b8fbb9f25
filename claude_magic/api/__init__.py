"""HTTP with the Claude API."""
