"""What the treatments of class imbalance are worth, in sentences."""

import pandas as pd

from credit_scoring.models import family_class
from credit_scoring.models.labels import name_treatment
from credit_scoring.texts import Texts


def judge_treatments(comparison: pd.DataFrame, texts: Texts) -> list[str]:
    """Say, family by family, which treatments lower or raise the cost by more than noise.

    Args:
        comparison: What `compare_imbalance_strategies` returns.
        texts: Catalogue of the language.

    Returns:
        Sentences; none of a family in which doing nothing was not a candidate, as nothing was compared with it.
    """
    compared = comparison[comparison["imbalance"] != "none"].dropna(subset="cost_to_none")
    sentences = []
    for family, rivals in compared.groupby("family", sort=False):
        label = family_class(str(family)).labels[texts.language]
        label = label[0].upper() + label[1:]
        better, worse = (
            texts.join([name_treatment(name, texts) for name in rivals.loc[apart, "imbalance"]])
            for apart in (rivals["cost_to_none_high"] < 0, rivals["cost_to_none_low"] > 0)
        )
        if better:
            sentences.append(texts.say("report.imbalance_better", family=label, strategies=better))
        else:
            sentences.append(texts.say("report.imbalance_same", family=label))
        if worse:
            sentences.append(texts.say("report.imbalance_worse", family=label, strategies=worse))
    return sentences
