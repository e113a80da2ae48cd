"""The server under attack: what a stranger sends and what an unlucky operator does, each with the right answer.

`python -m tests.serving.attack` (`make attack`) runs all of it against a server of each front end.
"""
