# Serves the exported model. Trains nothing, tracks nothing, holds no data, and can do without a file system to write to.
#   docker build -t credit-scoring .         a model made on another Python: make image, which names that one
#   docker run --rm -p 1234:1234 --read-only --cap-drop ALL credit-scoring
# With the officer's desk beside it (docs/desk.md), 370 MB more:
#   docker build -t credit-scoring --build-arg DESK=1 .
#   docker run --rm -p 1234:1234 -p 127.0.0.1:1235:1235 -e SERVING_DESK=on -v "$PWD/data:/opt/server/data" --user "$(id -u)" credit-scoring
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS packages

# The folder of the exported model, within the build context
ARG MODEL=model
# Others than the model's: opentelemetry-exporter-otlp-proto-http, for traces
ARG PACKAGES=

# The decision log; as the extra `log` of pyproject.toml has them
ARG LOG_PACKAGES="sqlalchemy>=2.1,<2.2 alembic>=1.20,<2 psycopg[binary]>=3.2,<4"

# Not empty: the officer's desk too, with what reads the source tables and typesets letters
ARG DESK=
ARG DESK_PACKAGES="argon2-cffi>=23.1,<26 starlette>=1.0,<2 jinja2>=3.1,<4 typst>=0.15,<0.16 kedro>=1.7,<2 kedro-datasets>=9.6,<10 \
ibis-framework[duckdb]>=12,<13 duckdb>=1.5,<2 sqlglot>=30,<30.18 pandera[pandas]>=0.35,<0.36 pyarrow>=18"

COPY ${MODEL}/requirements.txt ${MODEL}/python_env.yaml /tmp/
# A pickle is only sure to be read by the Python that wrote it
RUN made_with=$(sed -n 's/^python: *\([0-9]*\.[0-9]*\).*/\1/p' /tmp/python_env.yaml) \
 && here=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
 && { [ "$here" = "$made_with" ] \
      || { echo "The model was made with Python $made_with, this image has $here. Hint: --build-arg PYTHON=$made_with"; exit 1; }; }
# Tests, headers and pip itself are a fifth of what is installed, and serve nobody here
RUN python -m venv /opt/packages \
 && /opt/packages/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt ${LOG_PACKAGES} ${PACKAGES} ${DESK:+${DESK_PACKAGES}} \
 && cd /opt/packages/lib/python3*/site-packages \
 && find . -depth -type d \( -name tests -o -name test -o -name include \) -exec rm -rf {} + \
 && rm -rf pip pip-* setuptools setuptools-* /opt/packages/bin/pip*

# The desk runs the project's own code, out of reach of the server, by the command that makes its accounts too
COPY src /tmp/src
RUN mkdir /opt/desk \
 && if [ -n "$DESK" ]; then \
      mv /tmp/src/credit_scoring /opt/desk \
      && printf '#!/bin/sh\nPYTHONPATH=/opt/desk exec /opt/packages/bin/python -P -m credit_scoring "$@"\n' > /opt/packages/bin/credit-scoring \
      && chmod +x /opt/packages/bin/credit-scoring; \
    fi

FROM python:${PYTHON}-slim

# libgomp1: the OpenMP runtime of LightGBM. Nothing can install anything: not the pip of the base image either, nor the
# copy of it that Python keeps to make environments
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && find / -xdev -depth \( -path '*/python3*/pip' -o -path '*/python3*/pip-*' -o -path '*/python3*/ensurepip' \
      -o -path '*/python3*/setuptools*' -o -path '*/bin/pip*' -o -name 'pip*.whl' -o -name 'setuptools*.whl' \) -exec rm -rf {} + \
 && useradd --system --no-create-home --uid 10001 scorer

COPY --from=packages /opt/packages /opt/packages
COPY --from=packages /opt/desk /opt/desk
COPY src/credit_scoring/__init__.py /opt/server/credit_scoring/__init__.py
COPY src/credit_scoring/garbage.py /opt/server/credit_scoring/garbage.py
# What reads an exported model, without the folder `writing`
COPY src/credit_scoring/exported_model/*.py /opt/server/credit_scoring/exported_model/
COPY src/credit_scoring/decision_log /opt/server/credit_scoring/decision_log
COPY src/credit_scoring/serving /opt/server/credit_scoring/serving

ARG MODEL=model
COPY ${MODEL} /opt/model

ENV PATH=/opt/packages/bin:$PATH \
    PYTHONPATH=/opt/server \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    SERVING_FRONT_END=mlflow \
    SERVING_MODEL=/opt/model \
    SERVING_HOST=0.0.0.0 \
    SERVING_PORT=1234 \
    SERVING_LOG=json \
    DESK_MODEL=/opt/model \
    DESK_HOST=0.0.0.0

USER 10001
WORKDIR /opt/server
EXPOSE 1234 1235
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['SERVING_PORT'] + '/ping', timeout=2)"]
CMD ["python", "-m", "credit_scoring.serving"]
