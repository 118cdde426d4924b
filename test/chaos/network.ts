import type { ClusterNetwork } from '../support/cluster.ts';
import { type Link, startLink } from './link.ts';
import { type SupplierGateway, startSupplierGateway } from './supplier-gateway.ts';

/** The network links of a cluster under test. Each link can have faults of its own. */
export interface Network extends ClusterNetwork, AsyncDisposable {
  /** The links by name: `mongod-1`, `instance-2 to redis`, `instance-2 to suppliers`, `clients to instance-2`. */
  readonly links: ReadonlyMap<string, Link>;
  /** Exists once an instance has got the suppliers' URL. */
  readonly gateway: SupplierGateway;
  /** Returns the instance's origin for clients. */
  toInstance(origin: string, instance: string): Promise<string>;
}

export async function startNetwork(): Promise<Network> {
  const parts = new AsyncDisposableStack();
  const links = new Map<string, Link>();
  let gateway: SupplierGateway | undefined;

  async function link(name: string, port: number): Promise<number> {
    const made = parts.use(await startLink(port));
    links.set(name, made);
    return made.port;
  }

  async function rewired(name: string, url: string): Promise<string> {
    const there = new URL(url);
    there.port = String(await link(name, Number(there.port)));
    return there.href.replace(/\/$/, '');
  }

  return {
    links,
    get gateway() {
      if (gateway === undefined) throw new Error('no instance has got the suppliers’ address');
      return gateway;
    },
    toMember: (port, member) => link(`mongod-${member + 1}`, port),
    toRedis: (url, instance) => rewired(`${instance} to redis`, url),
    async toSuppliers(url, instance) {
      gateway ??= parts.use(await startSupplierGateway(url));
      const behind = new URL(url);
      behind.port = String(gateway.port);
      return rewired(`${instance} to suppliers`, behind.href);
    },
    toInstance: (origin, instance) => rewired(`clients to ${instance}`, origin),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
