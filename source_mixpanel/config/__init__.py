"""Settings: the model, the spec made from it, and the shapes of earlier connectors."""
