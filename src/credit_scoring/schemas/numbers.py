"""What every engine has to agree on before it counts or adds: which numbers are none."""

import math

import ibis.expr.types as ir
from ibis.common.deferred import Deferred


def is_not_finite(value: ir.FloatingValue | Deferred) -> ir.BooleanValue | Deferred:
    """Tell whether a real number is NaN or infinite; null of null.

    The infinities are compared with, since `isinf` is false of any number on Spark (Ibis 12).
    """
    return value.isnan() | (value.abs() == math.inf)
