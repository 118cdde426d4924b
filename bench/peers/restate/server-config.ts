export interface RestatePorts {
  readonly ingress: number;
  readonly admin: number;
  readonly node: number;
}

/**
 * The server's configuration: everything on the loopback, no telemetry. One partition is faster, because the bench buys
 * from one key; so is the local log, which a single node may use instead of the replicated one. The log is synced
 * before each acknowledgement, which is the default.
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
