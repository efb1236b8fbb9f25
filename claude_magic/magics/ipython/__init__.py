"""What hooks into IPython: completion, input transforms, cell ids."""
