"""What is asked beside raw tables has the same names wherever they stand: a server imports nothing of a model."""

from credit_scoring.counterfactual import LEVERS
from credit_scoring.decisions import asked
from credit_scoring.serving import decisions, openapi_decisions, replay


def test_options_and_levers_are_the_same_wherever_they_stand() -> None:
    assert decisions.OPTIONS == asked.OPTIONS
    assert (asked.PARAMS, *replay._BESIDE) == asked.OPTIONS
    assert openapi_decisions._LEVERS == LEVERS
