"""One module per model family; a module that is put here competes as soon as `candidates` names it."""
