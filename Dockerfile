# Serves the exported model. Trains nothing, tracks nothing, holds no data, and can do without a file system to write to.
#   docker build -t credit-scoring .         a model made on another Python: make image, which names that one
#   docker run --rm -p 1234:1234 --read-only --cap-drop ALL credit-scoring
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS packages

# The folder of the exported model, within the build context
ARG MODEL=model
# Others than the model's: opentelemetry-exporter-otlp-proto-http, for traces
ARG PACKAGES=

# The decision log; as the extra `log` of pyproject.toml has them
ARG LOG_PACKAGES="sqlalchemy>=2.1,<2.2 alembic>=1.20,<2 psycopg[binary]>=3.2,<4"

COPY ${MODEL}/requirements.txt ${MODEL}/python_env.yaml /tmp/
# A pickle is only sure to be read by the Python that wrote it
RUN made_with=$(sed -n 's/^python: *\([0-9]*\.[0-9]*\).*/\1/p' /tmp/python_env.yaml) \
 && here=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
 && { [ "$here" = "$made_with" ] \
      || { echo "The model was made with Python $made_with, this image has $here. Hint: --build-arg PYTHON=$made_with"; exit 1; }; }
# Tests, headers and pip itself are a fifth of what is installed, and serve nobody here
RUN python -m venv /opt/packages \
 && /opt/packages/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt ${LOG_PACKAGES} ${PACKAGES} \
 && cd /opt/packages/lib/python3*/site-packages \
 && find . -depth -type d \( -name tests -o -name test -o -name include \) -exec rm -rf {} + \
 && rm -rf pip pip-* setuptools setuptools-* /opt/packages/bin/pip*

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
COPY src/credit_scoring/__init__.py /opt/server/credit_scoring/__init__.py
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
    SERVING_LOG=json

USER 10001
WORKDIR /opt/server
EXPOSE 1234
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['SERVING_PORT'] + '/ping', timeout=2)"]
CMD ["python", "-m", "credit_scoring.serving"]
