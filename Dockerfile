# Two images: the product, which is what `docker build .` makes, and the Graph emulator (`--target emulator`).
# Settings are environment variables (docs/CONFIGURATION.md); none is needed to build, and no secret gets in.

# Each program is a bundle with the packages that it needs: the images hold no node_modules.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
COPY emulator emulator
RUN node scripts/build.ts --only product --outdir dist/product \
  && node scripts/build.ts --only emulator --outdir dist/emulator \
  && chmod +x dist/product/src/cli/main.js

FROM node:24-bookworm-slim AS base
ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# /data is the one directory that is written to.
RUN mkdir /data && chown 1000:1000 /data
WORKDIR /
COPY package.json LICENSE /app/
COPY docker/init.sh /app/init.sh
ENV NODE_ENV=production TMPDIR=/data
# The base image's user `node`, by number, so that an orchestrator can see that it isn't root.
USER 1000:1000
VOLUME ["/data"]

FROM base AS emulator
LABEL org.opencontainers.image.title="connector-registrar-emulator" \
  org.opencontainers.image.description="Emulates Entra and Graph's certificateConnectorDetails, for tests and trials"
COPY --from=build /app/dist/emulator /app/dist
EXPOSE 8443 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch('http://localhost:8080/_control/stats').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Options of docs/EMULATOR.md may follow, also these again: the last one counts.
ENTRYPOINT ["/app/init.sh", "node", "/app/dist/emulator/main.js", "--host=0.0.0.0", "--http-port=8080", "--ca-dir=/data/ca"]

FROM base AS product
LABEL org.opencontainers.image.title="connector-registrar" \
  org.opencontainers.image.description="Turns every certificate-connector enrollment into exactly one Microsoft Graph object"
USER root
RUN ln -s /app/dist/src/cli/main.js /usr/local/bin/connector-registrar
USER 1000:1000
COPY --from=build /app/dist/product /app/dist
# DATA_DIR is `data` unless it is set: /data, as seen from /.
ENV HTTP_HOST=0.0.0.0 HTTP_PORT=8080
# Memory before speed: with these and the entrypoint's options a worker with a million records before it stays below
# 200 MB, which Node's own choice more than doubles for less CPU an event (lab/bench/README.md).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768 MALLOC_TRIM_THRESHOLD_=65536 KAFKA_MAX_PARTITION_FETCH_BYTES=32768
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["connector-registrar", "health"]
ENTRYPOINT ["/app/init.sh", "node", "--max-semi-space-size=2", "--heap-growing-percent=30", "/app/dist/src/cli/main.js"]
CMD ["start"]
