import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { onPath } from '../../test/support/servers/find.ts';

const run = promisify(execFile);

/**
 * Which cores each part runs on, so that the client does not take from the server what it measures: the client has
 * the last core, the servers have the others, databases run anywhere.
 */
export interface Placement {
  /** For the results: `{ client: '1', servers: '0', databases: 'any' }`. */
  readonly cores: Readonly<Record<string, string>>;
  /** What the client is run under: `['taskset', '-c', '1']`, or nothing. */
  readonly clientUnder: readonly string[];
  /** Keeps a process with all its threads to the servers' cores. */
  pinServer(pid: number): Promise<void>;
}

/** Without `taskset` (util-linux), or with a single core, everything runs anywhere. */
export async function choosePlacement(cores = availableParallelism()): Promise<Placement> {
  const taskset = cores < 2 ? undefined : await onPath('taskset');
  if (taskset === undefined) {
    return {
      cores: { client: 'any', servers: 'any', databases: 'any' },
      clientUnder: [],
      pinServer: () => Promise.resolve(),
    };
  }
  const client = String(cores - 1);
  const servers = cores === 2 ? '0' : `0-${cores - 2}`;
  return {
    cores: { client, servers, databases: 'any' },
    clientUnder: [taskset, '-c', client],
    async pinServer(pid) {
      await run(taskset, ['-a', '-c', '-p', servers, String(pid)]);
    },
  };
}
