# Images of Walletwire; docs/operations.md tells which there are and why.
#
#   docker build --target walletwire -t walletwire .     ww and all services, one image for all of them
#   docker build --target nats -t walletwire-nats .      nats-server, with the permissions that `ww` prints
#   docker build --target bank -t walletwire-bank .      the demo's bank, an example
#
# Debian's packages alone, so that what runs is what the tests ran with.
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/packages-libraries.txt scripts/
RUN apt-get update \
 && sed -e 's/#.*//' scripts/packages-libraries.txt | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y \
      --no-install-recommends build-essential cmake ninja-build pkg-config
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY proto proto
COPY libs libs
COPY services services
COPY tests tests
RUN cmake --preset release \
 && cmake --build build/release --target ww ww-audit ww-chat ww-edge ww-notifications ww-outbox ww-presence \
 && strip build/release/bin/ww*

FROM ${BASE} AS clients-build
WORKDIR /src
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs npm protobuf-compiler libprotobuf-dev
COPY proto proto
COPY clients clients
RUN cd clients && npm ci --no-audit --no-fund --ignore-scripts && npm run build && npm run build -w demo/web

# Installed anew without what only the build needs: 7 MB in place of 240.
FROM clients-build AS bank-build
RUN cd clients && rm -rf node_modules demo/web \
 && npm ci --omit=dev --workspace demo/bank --workspace backend --no-audit --no-fund --ignore-scripts

FROM ${BASE} AS runtime
COPY scripts/packages-image.txt /tmp/
RUN apt-get update \
 && sed -e 's/#.*//' /tmp/packages-image.txt | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y \
      --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages-image.txt \
 && groupadd --system --gid 10001 walletwire \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin walletwire
COPY LICENSE /usr/share/walletwire/LICENSE
COPY deploy/image/ready.sh /usr/local/bin/ww-ready
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.vendor="Walletwire" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

FROM runtime AS bank
LABEL org.opencontainers.image.title="walletwire-bank" \
      org.opencontainers.image.description="An example: the back end of a wallet"
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs \
 && rm -rf /var/lib/apt/lists/* \
 && dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >/usr/share/walletwire/packages.txt
COPY --from=bank-build /src/clients /app/clients
USER 10001:10001
CMD ["node", "/app/clients/demo/bank/dist/main.js"]

FROM runtime AS nats
LABEL org.opencontainers.image.title="walletwire-nats" \
      org.opencontainers.image.description="nats-server with Walletwire's permissions"
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nats-server \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 10001 -g 10001 /data \
 && dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >/usr/share/walletwire/packages.txt
COPY --from=build /src/build/release/bin/ww /usr/local/bin/ww
COPY deploy/image/nats.sh /usr/local/bin/ww-nats
USER 10001:10001
CMD ["ww-nats"]

# The last one: what is built when no target is named.
FROM runtime AS walletwire
LABEL org.opencontainers.image.title="walletwire" \
      org.opencontainers.image.description="The real-time layer of a wallet: edge, services and command line"
# What ww-audit signs is kept there: a new volume has its owner from here.
RUN install -d -o 10001 -g 10001 /data
RUN dpkg-query -W -f '${Package} ${Version} ${Architecture}\n' >/usr/share/walletwire/packages.txt
COPY --from=build /src/build/release/bin/ /usr/local/bin/
# The demo's pages: an edge serves them where WW_STATIC_DIR says so.
COPY --from=clients-build /src/clients/demo/web/dist /usr/share/walletwire/pages
USER 10001:10001
CMD ["ww", "--help"]
