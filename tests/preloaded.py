"""What the server of `tests.commands` imports last: it computes, for all its forks, what follows from the code."""

import gc

from credit_scoring.features.catalogue import feature_lineages
from credit_scoring.features.plan import join_sources

feature_lineages()
join_sources()

# No fork need look for garbage among what is there, nor copy its memory
gc.freeze()
