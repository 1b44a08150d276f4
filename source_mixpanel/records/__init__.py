"""Bytes in, records out: decoding, names, types and instants. Pure."""
