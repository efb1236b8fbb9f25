"""What a request costs: prices, bounds on tokens, budget, usage."""
