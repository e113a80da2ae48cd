"""Features of an application and of its client's history: pure functions, Ibis tables in, Ibis tables out.

One module per source, listed in `sources.py`; a feature is one record (`records.py`), found by its name in
`catalogue.py`.
"""
