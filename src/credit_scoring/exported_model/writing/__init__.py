"""Making the folder of an exported model, from a scorer or from a version of it in the registry."""
