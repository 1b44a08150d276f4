"""Raw events: `export`, from the days to request to the rows."""
