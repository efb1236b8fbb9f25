"""The live page: a reply while it grows."""
