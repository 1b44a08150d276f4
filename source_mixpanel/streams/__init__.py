"""The catalogue of streams, and what each of them is."""
