"""A request as a program for OpenAI's SDK."""
