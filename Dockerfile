# Serves the exported model through MLflow. Trains nothing, tracks nothing, holds no data.
#   docker build -t credit-scoring .
#   docker run --rm -p 1234:1234 credit-scoring
FROM python:3.11-slim

# libgomp1: the OpenMP runtime of LightGBM
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*

# The folder of the exported model, within the build context
ARG MODEL=model

COPY ${MODEL}/requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm /tmp/requirements.txt

COPY ${MODEL} /opt/model

RUN useradd --system --create-home --uid 10001 scorer
USER scorer
WORKDIR /home/scorer

ENV MLFLOW_DISABLE_TELEMETRY=true \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    # Each request is small: more threads than one per worker only wait for one another
    OMP_NUM_THREADS=1

EXPOSE 1234
HEALTHCHECK --interval=10s --timeout=3s --start-period=40s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:1234/ping', timeout=2)"]

# The server that `mlflow models serve` starts, without the command in between, which as the container's first process would
# swallow the stop signal
ENV __pyfunc_model_path__=/opt/model
CMD ["uvicorn", "mlflow.pyfunc.scoring_server.app:app", "--host", "0.0.0.0", "--port", "1234", "--workers", "1"]
