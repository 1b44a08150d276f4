"""Concurrent work in threads."""
