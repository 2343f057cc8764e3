"""What writes the generated documents of a checkout; the image has no use for it."""
