# The worker; as target `journal` the same with its journal, as target `console` both with the pages for people, and as
# target `sandbox` the stand-in for Checkbox:
#   docker build --build-arg VERSION="$(fiscal-worker --version)" --tag fiscal-worker .
# The release pins the base by its digest: --build-arg PYTHON_IMAGE=docker.io/library/python@sha256:…

ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

# checkov:skip=CKV_DOCKER_7: the tag is in the argument above, and the release sets a digest
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# pip and what builds the project stay in /opt/build; /opt/venv is what the image gets, and has no pip.
COPY requirements/build.lock requirements/worker.lock requirements/
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/venv \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement requirements/build.lock \
    && /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements/worker.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY docs/examples docs/examples
COPY worker worker
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/venv/bin/python install --no-deps --no-index dist/*.whl

FROM build AS build-sandbox
COPY requirements/sandbox.lock requirements/
RUN /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements/sandbox.lock

FROM build AS build-journal
COPY requirements/journal.lock requirements/
RUN /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements/journal.lock

FROM build-journal AS build-console
COPY requirements/console.lock requirements/
RUN /opt/build/bin/pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements/console.lock

FROM ${PYTHON_IMAGE} AS runtime
ARG VERSION=unreleased REVISION=unknown CREATED=1970-01-01T00:00:00Z SOURCE=unknown
LABEL org.opencontainers.image.title="fiscal-worker" \
      org.opencontainers.image.description="Turns Bimp customer orders into Checkbox fiscal receipts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}"
# The base's own pip is of no use to a worker, and of much use to an intruder.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip \
    && groupadd --gid 10001 worker \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin worker \
    && mkdir /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1
WORKDIR /app
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["fiscal-worker"]

FROM runtime AS sandbox
COPY --from=build-sandbox /opt/venv /opt/venv
HEALTHCHECK NONE
CMD ["sandbox", "--host", "0.0.0.0"]

# The worker's image with what a journal needs: it runs `run`, `journal` and `reconcile`.
FROM runtime AS journal
COPY --from=build-journal /opt/venv /opt/venv
HEALTHCHECK NONE
CMD ["journal"]

# A web server is of no use to a worker: only this image has one.
FROM runtime AS console
COPY --from=build-console /opt/venv /opt/venv
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:9192/sign-in', timeout=4)"]
EXPOSE 9192
CMD ["console", "--host", "0.0.0.0"]

FROM runtime AS worker
COPY --from=build /opt/venv /opt/venv
# Kubernetes has probes of its own and ignores it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('FISCAL_METRICS_PORT', '9191') + '/healthz', timeout=4)"]
EXPOSE 9191
CMD ["run"]
