"""What the reader wrote, read."""
