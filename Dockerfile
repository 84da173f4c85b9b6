# One image for every process; the command says which. Built pages included, so it starts without Node.

FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/aerostic
RUN pip install --no-cache-dir uv==0.13.9
COPY requirements.txt .
RUN uv venv --quiet .venv \
 && uv pip sync --quiet --require-hashes --python .venv/bin/python --compile-bytecode requirements.txt
COPY . .
RUN .venv/bin/python -m aerostic.operations build \
 && rm -rf .web/node_modules

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/aerostic aerostic \
 && install -d -o aerostic /var/lib/aerostic
WORKDIR /srv/aerostic
COPY --from=build /srv/aerostic /srv/aerostic
USER aerostic
ENV PYTHONUNBUFFERED=1 \
    AEROSTIC_DATA_DIR=/var/lib/aerostic
ENTRYPOINT [".venv/bin/python", "-m", "aerostic.operations"]
CMD ["web", "--host", "0.0.0.0"]
