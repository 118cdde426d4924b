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

/** A port of the loopback that nothing listens on now. */
export async function freePort({ isKept = false }: FreePortOptions = {}): Promise<number> {
  for (let attemptsLeft = 50; ; attemptsLeft--) {
    try {
      return await listenOnce(isKept ? kept.least + Math.floor(Math.random() * (kept.most - kept.least)) : 0);
    } catch (error) {
      if (attemptsLeft === 0) throw error;
    }
  }
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
