"""The decision log: every decision is a record that can be found, checked, replayed and learnt from.

Imports nothing by itself: a server takes `settings`, `tables`, `chain` and `writer`, and nothing that measures.
"""
