"""The production server: the exported model behind a gate of limits and checks, by MLflow's application or a lean one.

It imports nothing of the project. The model's own copy of the code scores, so that a server need not be built again for
a new model, nor a model exported again for a new server.
"""
