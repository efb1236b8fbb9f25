"""A finished reply: text, steps, sources, summary."""
