"""What is known of columns beforehand: Mixpanel's own properties, and the fixed schemas."""
