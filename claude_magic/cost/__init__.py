"""The cost of requests: prices, token bounds, budget, usage."""
