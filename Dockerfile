# One image for every role: docker run hongbao serve | archive | migrate | rebuild | audit | move | health
#
# Build:  docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" -t hongbao .
# Pin the base by digest where you build: --build-arg NODE_IMAGE=node:26.10.0-trixie-slim@sha256:…

ARG NODE_IMAGE=node:26.10.0-trixie-slim

# The packages of production, and nothing else: no compilers, no test tools. Of the optional ones the binaries for this platform
# stay (migrations, thread priorities); the Node that npm would bring goes, the image has its own.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && rm -rf node_modules/node-linux-* node_modules/node-bin-* node_modules/.bin/node

# Sources run as they are. What Node makes of them at the first start is made here, so that a pod starts as fast as it can. Node keeps
# it by version, processor and user, so the user is that of the last stage.
FROM ${NODE_IMAGE} AS compiled
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
USER 65532:65532
RUN NODE_COMPILE_CACHE=/tmp/compile-cache node src/main.ts health --print-config

FROM ${NODE_IMAGE} AS app
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hongbao" \
      org.opencontainers.image.description="Promotion engine: claims that never oversell, carts evaluated and explained" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/compile-cache \
    NODE_OPTIONS="--max-old-space-size-percentage=60"
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY --from=compiled --chown=65532:65532 /tmp/compile-cache ./compile-cache
USER 65532:65532
# gRPC, HTTP (Connect, gRPC-Web, JSON), metrics and probes
EXPOSE 50051 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["node", "src/main.ts", "health"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve"]
