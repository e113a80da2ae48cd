"""The feature plan: features as a list of operations that need numpy alone.

`credit_scoring.features.plan` compiles the project's expressions to a plan; here it is read and evaluated, from the raw
tables of one applicant or of thousands. An exported model carries this package with its plan.
"""

from credit_scoring.feature_plan.description import Plan, PlanError
from credit_scoring.feature_plan.evaluator import FeaturePlan, Features
from credit_scoring.feature_plan.tables import Implausible, InputError, Problem

__all__ = ["FeaturePlan", "Features", "Implausible", "InputError", "Plan", "PlanError", "Problem"]
