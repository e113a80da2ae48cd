"""The lean production server."""
