"""Tools: what the API is told of them."""
