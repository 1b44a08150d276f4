"""Texts and JSON: read, written, compared, masked."""
