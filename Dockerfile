# One image for every Airflow service; docker-compose.yaml says which command each of them runs.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt .
# The file is complete and hashed: nothing is resolved, and nothing is compiled.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-deps --only-binary :all: --require-hashes --requirement requirements.txt \
    && /opt/venv/bin/pip check

FROM python:3.11-slim-bookworm
# A fresh named volume takes over the owner of the folder that it is mounted on.
RUN useradd --uid 10001 --user-group --home-dir /opt/airflow --shell /usr/sbin/nologin airflow \
    && install --directory --owner airflow --group airflow \
        /opt/airflow /opt/airflow/auth /opt/airflow/logs /var/lib/podcast-insights /var/backups/podcast-insights
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/podcast-insights
# The code belongs to root: a task that was tricked into writing cannot change what runs next.
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/podcast-insights \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow
USER 10001:10001
CMD ["airflow", "version"]
