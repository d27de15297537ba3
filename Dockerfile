# The emulator in a container: `docker compose up emulator`, or
#   docker build -t publican . && docker run --rm -p 127.0.0.1:8085:8085 publican
# Nothing here is specific to one architecture. The root file system may be read-only, and nothing runs as root.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
# Versions come from git tags, which a build context does not carry: give the version where it matters.
ARG PUBLICAN_VERSION=0.0.0
ENV SETUPTOOLS_SCM_PRETEND_VERSION=${PUBLICAN_VERSION}
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY protocol protocol
COPY emulator emulator
COPY client client
COPY pytest_plugin pytest_plugin
# With the libraries of schemas, push tokens and message transforms: nobody can add them to an image that is running.
RUN python3 -m venv /opt/publican && /opt/publican/bin/pip install --no-cache-dir --no-compile '.[oidc,schemas,transforms]' && /opt/publican/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/publican /opt/publican
RUN /opt/publican/bin/python -m compileall -q /opt/publican/lib
ENV PATH=/opt/publican/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8085
HEALTHCHECK --interval=1s --timeout=3s --start-period=5s --retries=5 CMD ["publican", "healthcheck", "--host-port", "127.0.0.1:8085"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["publican"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8085"]
