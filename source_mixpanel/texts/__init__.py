"""Texts and JSON: parsing, writing, comparing, masking secrets."""
