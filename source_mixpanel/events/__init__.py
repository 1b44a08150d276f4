"""Raw events: `export`, from the days to ask for to the rows."""
