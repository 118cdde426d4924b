# One instance. The store is in the volume /data; everything else may be read-only:
#   docker build -t ticket-booking .
#   docker run --rm --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -p 127.0.0.1:8888:8888 -v tickets:/data ticket-booking
FROM node:24-slim
ENV NODE_ENV=production \
    PORT=8888 \
    DATABASE_URL=sqlite:/data/booking.db
WORKDIR /app
COPY package.json package-lock.json ./
# No dependency needs a script of its own to be installed, so none runs.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY public ./public
COPY src ./src
# The image's user `node`, by number: then a cluster can see that it is not root (runAsNonRoot). The program is root's.
RUN mkdir /data && chown 1000:1000 /data && chmod 700 /data
USER 1000:1000
VOLUME /data
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would not pass SIGTERM on.
CMD ["node", "--max-semi-space-size=32", "src/start.mjs"]
