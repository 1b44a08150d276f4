"""Which columns a stream has, and how values get into them."""
