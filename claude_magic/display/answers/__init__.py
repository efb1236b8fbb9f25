"""What endpoints answer that send no message: JSON as a folded tree, lists as tables."""
