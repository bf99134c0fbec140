# One image for every command: `docker run IMAGE start`, `docker run IMAGE doctor`, ...
# Settings are environment variables (docs/CONFIGURATION.md); none is needed to build, and no secret gets in.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Type declarations, source maps and sources are half of the dependencies' size, and nothing reads them at run time.
RUN npm ci --omit=dev --ignore-scripts \
  && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete \
  && find node_modules -type d -empty -delete

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node_modules/.bin/tsc -p tsconfig.build.json && chmod +x dist/cli/main.js

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="connector-registrar" \
  org.opencontainers.image.description="Turns every certificate-connector enrollment into exactly one Microsoft Graph object" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# /data is the one directory that is written to. DATA_DIR is `data` unless it is set: this one, as seen from /.
RUN mkdir /data && chown 1000:1000 /data && ln -s /app/dist/cli/main.js /usr/local/bin/connector-registrar
WORKDIR /
COPY --from=dependencies /app/node_modules /app/node_modules
COPY package.json LICENSE /app/
COPY --from=build /app/dist /app/dist
COPY docker/init.sh /app/init.sh
ENV NODE_ENV=production TMPDIR=/data HTTP_HOST=0.0.0.0 HTTP_PORT=8080
# Memory before speed: with these and the entrypoint's options a worker with a million records before it stays below
# 250 MB, which Node's own choice doubles for less CPU an event (lab/bench/README.md).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=65536 KAFKA_MAX_PARTITION_FETCH_BYTES=65536
# The base image's user `node`, by number, so that an orchestrator can see that it isn't root.
USER 1000:1000
VOLUME ["/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["connector-registrar", "health"]
ENTRYPOINT ["/app/init.sh", "node", "--max-semi-space-size=4", "--heap-growing-percent=30", "/app/dist/cli/main.js"]
CMD ["start"]
