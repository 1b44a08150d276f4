"""Streams that are a list endpoint."""
