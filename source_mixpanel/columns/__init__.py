"""The columns of streams, and how values get into them."""
