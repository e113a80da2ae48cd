"""The exported model: a folder that is served, checked and copied as a whole.

The modules of this package read such a folder. They are what a server gets of the project, and need neither the rest
of it nor MLflow, Kedro or anything that trains. `writing` makes the folder and uses all of these.
"""

# What stands where in the folder; `writing.mlflow_model` adds what a colleague needs to install and try the model
CODE = "code"
DESCRIPTION = "MLmodel"
EXAMPLE = "serving_input_example.json"
EXAMPLE_ANSWER = "serving_output_example.json"
FEATURE_PLAN = "feature_plan.json"  # of a model whose features all follow from expressions
INPUT_COLUMNS = "input_columns.json"
KNOWN_NAMES = "known_names.json"
MANIFEST = "MANIFEST.sha256"
PYTHON = "python_env.yaml"
REQUIREMENTS = "requirements.txt"
SCORER = "model.pkl"
