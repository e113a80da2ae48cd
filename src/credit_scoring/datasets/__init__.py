"""Catalog dataset types that the libraries lack."""
