"""Asking: from a prompt to an exchange, with ledger, tools and conversations. Knows neither IPython nor a screen."""
