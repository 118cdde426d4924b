export interface RestatePorts {
  readonly ingress: number;
  readonly admin: number;
  readonly node: number;
}

/**
 * The server's configuration: all of it on the loopback, nothing sent home. One partition, as one key is all that is
 * bought from, and the log that a single node may use instead of the replicated one: both made it faster. Its log is
 * synced before anything is acknowledged, as by default.
 */
export function serverConfig(folder: string, { ingress, admin, node }: RestatePorts): string {
  return `
base-dir = ${JSON.stringify(folder)}
node-name = "bench"
cluster-name = "bench"
listen-mode = "tcp"
bind-address = "127.0.0.1:${node}"
advertised-address = "http://127.0.0.1:${node}"
disable-telemetry = true
log-filter = "warn"
log-disable-ansi-codes = true
default-num-partitions = 1

[ingress]
bind-address = "127.0.0.1:${ingress}"
advertised-address = "http://127.0.0.1:${ingress}"

[admin]
bind-address = "127.0.0.1:${admin}"
advertised-address = "http://127.0.0.1:${admin}"
disable-web-ui = true

[bifrost]
default-provider = "local"
`;
}
