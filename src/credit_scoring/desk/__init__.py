"""The loan officer's desk: pages to read an application, decide on it, and answer for the decision."""
