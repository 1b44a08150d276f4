# Airbyte's own base; `make image` puts a stand-in here where no registry can be reached.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.1@sha256:a268b44c733ae699a60f5fbc06a324945dba98945c6e2ab7f8609f2f895b0d28

FROM ${BASE_IMAGE} AS build
USER root
WORKDIR /build
COPY requirements ./requirements
# What is locked, by its hashes; pandas and numpy come with tests that weigh as much as they do.
RUN python3 -m venv tools \
 && tools/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes \
      -r requirements/build.txt \
 && tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/source-mixpanel \
 && tools/bin/uv pip sync --quiet --no-cache --python /opt/source-mixpanel --require-hashes \
      requirements/runtime.txt \
 && find /opt/source-mixpanel -type d -name tests -regex '.*/\(numpy\|pandas\)/.*' -prune \
      -exec rm -rf '{}' + \
 && /opt/source-mixpanel/bin/python -m compileall -q -j 0 /opt/source-mixpanel/lib
COPY LICENSE README.md pyproject.toml ./
COPY source_mixpanel ./source_mixpanel
# In a folder of its own: a new version is then a small layer on the dependencies' large one.
RUN tools/bin/pip wheel --quiet --disable-pip-version-check --no-index --no-deps \
      --no-build-isolation --wheel-dir dist . \
 && tools/bin/uv pip install --quiet --no-cache --no-index --no-deps --compile-bytecode \
      --python /opt/source-mixpanel --prefix /package dist/*.whl

FROM ${BASE_IMAGE}
COPY --from=build /opt/source-mixpanel /opt/source-mixpanel
COPY --from=build /package /opt/source-mixpanel
ENV PATH="/opt/source-mixpanel/bin:${PATH}" \
    AIRBYTE_ENTRYPOINT="/opt/source-mixpanel/bin/source-mixpanel"
LABEL io.airbyte.name="airbyte/source-mixpanel" \
      io.airbyte.version="5.0.0"
USER airbyte
ENTRYPOINT ["/opt/source-mixpanel/bin/source-mixpanel"]
