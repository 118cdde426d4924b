import { once } from 'node:events';
import { createServer } from 'node:net';

export interface FreePortOptions {
  /**
   * True for a server that is restarted at the same port. The port is then below the range of ephemeral ports, so that
   * no outgoing connection takes this port during the restart.
   */
  readonly isKept?: boolean;
}

const kept = { least: 12_000, most: 31_999 };
/** Each process looks at one port of so many, so that two that look at the same time hardly find the same one. */
const stride = 64;
/** The ports that this process has found: their servers may not listen yet. */
const found = new Set<number>();

/** A port of the loopback that nothing listens on now. */
export async function freePort({ isKept = false }: FreePortOptions = {}): Promise<number> {
  for (let attemptsLeft = 50; ; attemptsLeft--) {
    try {
      return await listenOnce(isKept ? keptPort() : 0);
    } catch (error) {
      if (attemptsLeft === 0) throw error;
    }
  }
}

function keptPort(): number {
  const steps = Math.floor((kept.most - kept.least) / stride);
  if (found.size > steps / 2) found.clear();
  let port: number;
  do port = kept.least + (process.pid % stride) + stride * Math.floor(Math.random() * steps);
  while (found.has(port));
  found.add(port);
  return port;
}

async function listenOnce(port: number): Promise<number> {
  const probe = createServer().listen(port, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the loopback has no free port');
  return address.port;
}
