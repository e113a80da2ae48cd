"""From the raw tables of applicants to decisions.

An exported model carries this package with its feature plan. A server, the command line and a notebook ask it alike.
"""

from credit_scoring.decisions.decider import Decider
from credit_scoring.decisions.words import describe_problems
from credit_scoring.feature_plan import FeaturePlan, InputError
from credit_scoring.scorer import CreditScorer

__all__ = ["Decider", "InputError", "describe_problems", "make_decider"]


def make_decider(plan: bytes, scorer: CreditScorer) -> Decider:
    """Return what decides by a scorer and the feature plan that was exported with it."""
    return Decider(scorer, FeaturePlan.read(plan))
