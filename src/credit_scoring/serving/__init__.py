"""The production server: the exported model behind a gate of limits and checks, scored by MLflow or lean.

Of the project it imports what reads an exported model (`exported_model`), and nothing else. The model's own copy of the
code scores, so that a server need not be built again for a new model, nor a model exported again for a new server.
"""
