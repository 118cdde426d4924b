import { readFile } from 'node:fs/promises';
import { type NodeProcess, startNodeProcess } from '../../test/support/node-process.ts';
import { Profiler } from './profiler.ts';
import { runProgram } from './program.ts';

/** How a kind of server is started. */
export interface ServerKind {
  readonly store: 'sqlite' | 'mongodb' | 'none';
  readonly needsRedis: boolean;
  /** The engine of one of our servers; absent for a program in `bench/baselines/`. */
  readonly engine?: 'actor' | 'lock' | 'queue';
}

export const kinds: Readonly<Record<string, ServerKind>> = {
  'actor-sqlite': { store: 'sqlite', needsRedis: false, engine: 'actor' },
  'actor-mongodb': { store: 'mongodb', needsRedis: false, engine: 'actor' },
  lock: { store: 'mongodb', needsRedis: true, engine: 'lock' },
  queue: { store: 'mongodb', needsRedis: true, engine: 'queue' },
  atomic: { store: 'mongodb', needsRedis: false },
  'floor-sqlite': { store: 'sqlite', needsRedis: false },
  'floor-mongodb': { store: 'mongodb', needsRedis: false },
  lua: { store: 'none', needsRedis: true },
  hello: { store: 'none', needsRedis: false },
};

export interface ServersOptions {
  readonly name: string;
  readonly kind: ServerKind;
  readonly settings: Readonly<Record<string, string>>;
  /** The file with the packages on sale. */
  readonly packages: string;
  readonly instances: number;
  /** Profiles the servers; undefined if they are not profiled. */
  readonly profiler: Profiler | undefined;
}

/** A server that takes longer to drain is killed. */
const drainMs = 15_000;
const listens = /listens on (?<url>http:\/\/\S+)/;

/**
 * Starts the processes of a server under test: first the instances, then the consumer if the engine needs one.
 * @param undo ends the started processes.
 */
export async function startServers(
  { name, kind, settings, packages, instances, profiler }: ServersOptions,
  undo: AsyncDisposableStack,
): Promise<NodeProcess[]> {
  const start = async (command: readonly string[], ready: RegExp, own: Readonly<Record<string, string>>) => {
    const [program, ...parameters] = command as [string];
    const all = { ...settings, ...own, ...(profiler && Profiler.settings) };
    const started = await startNodeProcess({ program, parameters, settings: all, ready, detached: true });
    undo.defer(async () => {
      await started.end('SIGTERM', drainMs);
    });
    profiler?.add(name, started);
    return started;
  };
  if (kind.engine === undefined) {
    const baseline = [...(await nodeFlags()), `bench/baselines/${name}.ts`, '--packages', packages];
    return [await start(baseline, listens, {})];
  }

  await putPackages(packages, settings);
  const server = await commandOf('start');
  const processes: NodeProcess[] = [];
  for (let index = 1; index <= instances; index++) {
    processes.push(await start(server, listens, { INSTANCE_ID: `bench-${index}` }));
  }
  if (kind.engine === 'queue') {
    const own = { INSTANCE_ID: 'bench-consumer' };
    processes.push(await start(await commandOf('consumer'), /takes orders/, own));
  }
  return processes;
}

/** The arguments of `node` in a script of package.json, so that the bench measures the command that users run. */
export async function commandOf(script: string): Promise<string[]> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { scripts } = JSON.parse(text) as { scripts: Readonly<Record<string, string>> };
  const words = (scripts[script] ?? '').split(' ');
  return words.slice(words.indexOf('node') + 1);
}

/** Node's flags of our server. Baselines run with the same ones. */
export async function nodeFlags(): Promise<string[]> {
  return (await commandOf('start')).filter((word) => word.startsWith('-'));
}

/** @throws Error with the output if the packages cannot be stored. */
async function putPackages(file: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const { code, stderr } = await runProgram('src/commands/db-init.ts', ['--file', file], settings);
  if (code !== 0) throw new Error(`the packages could not be put in: ${stderr.trim()}`);
}
