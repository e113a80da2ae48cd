"""Measures of a score and of a decision: plain functions of outcomes and probabilities, without I/O or policy.

Functions named `*_score` are better when larger, functions named `*_loss` when smaller. Outcomes are 0 (repaid) or 1
(defaulted), probabilities are those of default. A measure that is undefined on its input is NaN, never 0.
"""
