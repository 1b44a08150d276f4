"""What all streams share: the engine, parts, the state's envelope, coverage."""
