"""Plain text that is safe to show."""
