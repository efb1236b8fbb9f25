"""Calls that wait for the approval of the user."""
