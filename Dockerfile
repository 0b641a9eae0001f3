# Builder and runtime are the same Debian release: the loaders of libvips differ between releases.
FROM golang:1.26-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvips-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go build -trimpath -ldflags='-s -w' -o /edge ./cmd/edge

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libvips42 libjemalloc2 fonts-dejavu-core ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/lib/*-linux-gnu/libjemalloc.so.2 /usr/lib/libjemalloc.so.2 \
 && useradd --system --uid 10001 --no-create-home edge
COPY --from=build /edge /usr/local/bin/edge

# glibc keeps what libvips frees, arena by arena; jemalloc gives it back. Empty LD_PRELOAD turns it off.
ENV LD_PRELOAD=/usr/lib/libjemalloc.so.2
USER edge
EXPOSE 8080
# Orchestrators should give it 45 s to end: shutdown.delay, shutdown.timeout, and some air.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["edge", "doctor", "--live"]
ENTRYPOINT ["edge"]
CMD ["serve"]
