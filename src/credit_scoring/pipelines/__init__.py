"""One folder per pipeline: pure node functions, their wiring, their typed options."""
