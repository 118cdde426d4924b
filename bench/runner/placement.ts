import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { onPath } from '../../test/support/servers/find.ts';

const run = promisify(execFile);

/**
 * The cores of each part. The client has the last core and the servers have the others, so that they do not compete.
 * Databases run on any core.
 */
export interface Placement {
  /** As the results show it: `{ client: '1', servers: '0', databases: 'any' }`. */
  readonly cores: Readonly<Record<string, string>>;
  /** The command that runs the client: `['taskset', '-c', '1']`; may be empty. */
  readonly clientUnder: readonly string[];
  /** Pins a process with all of its threads to the servers' cores. */
  pinServer(pid: number): Promise<void>;
}

/** Without `taskset` (util-linux) or with one core, nothing is pinned. */
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
