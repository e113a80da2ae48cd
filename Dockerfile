# Serves the exported model. Trains nothing, tracks nothing, holds no data, and can do without a file system to write to.
#   docker build -t credit-scoring .
#   docker run --rm -p 1234:1234 --read-only --cap-drop ALL credit-scoring
FROM python:3.11-slim AS packages

# The folder of the exported model, within the build context
ARG MODEL=model
# Others than the model's: opentelemetry-exporter-otlp-proto-http, for traces
ARG PACKAGES=

COPY ${MODEL}/requirements.txt /tmp/requirements.txt
# Tests, headers and pip itself are a fifth of what is installed, and serve nobody here
RUN python -m venv /opt/packages \
 && /opt/packages/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt ${PACKAGES} \
 && cd /opt/packages/lib/python3*/site-packages \
 && find . -depth -type d \( -name tests -o -name test -o -name include \) -exec rm -rf {} + \
 && rm -rf pip pip-* setuptools setuptools-* /opt/packages/bin/pip*

FROM python:3.11-slim

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
