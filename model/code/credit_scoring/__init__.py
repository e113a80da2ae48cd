"""Credit scoring: probability of default, cost-optimal decision and its reasons, over the whole model life cycle."""

__version__ = "0.1.0"
