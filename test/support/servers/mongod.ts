import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Document,
  MongoClient,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { freePort } from '../free-port.ts';
import { freezeProcess } from '../freeze-process.ts';
import { findMongod } from './mongod-binary.ts';

export interface MongodOptions {
  /** The number of members. Default 1. */
  readonly members?: 1 | 3;
  /** Further arguments of each mongod. */
  readonly parameters?: readonly string[];
  /** A folder whose data the replica set uses and keeps. Default: a temporary folder. */
  readonly folder?: string;
  /** Starts processes in their own process groups, so that Ctrl-C does not reach them. */
  readonly detached?: boolean;
  /** A command that runs each mongod as its own process, for example `strace -D -o log`. */
  readonly tracer?: readonly string[];
  /** Returns the port of a proxy in front of the member. The other members and all clients use the proxy's port. */
  readonly inFront?: (port: number, member: number) => Promise<number>;
}

/** A real replica set on the loopback. Members are named by their index. */
export interface Mongod extends AsyncDisposable {
  /** A URL that names every member and no database. */
  readonly url: string;
  /** The ports of the members, in their order. */
  readonly ports: readonly number[];
  /** Returns the member that takes writes now. Waits until an election has ended. */
  primary(): Promise<number>;
  /**
   * Resolves once every member is the primary or has caught up with the primary.
   * @throws Error after a minute.
   */
  whole(): Promise<void>;
  /** Makes the primary step down. Does not wait for the election of another primary. */
  stepDown(): Promise<void>;
  /** Kills a member (SIGKILL). */
  kill(member: number): Promise<void>;
  /** Starts a killed member again. */
  restart(member: number): Promise<void>;
  /** Stops a member (SIGSTOP). Its sockets stay open, and nothing answers. */
  freeze(member: number): void;
  /** Lets a frozen member run again (SIGCONT). */
  thaw(member: number): void;
  stop(): Promise<void>;
}

const replicaSet = 'rs0';
const startMs = 60_000;

/** One mongod process on a port of its own. */
export interface LoneMongod extends AsyncDisposable {
  readonly port: number;
  /** Runs a command on the process's admin database, without a password. */
  admin(command: Document): Promise<Document>;
}

/** Starts a single mongod with these parameters. Does not make or initiate a replica set. */
export async function startLoneMongod(...parameters: readonly string[]): Promise<LoneMongod> {
  const binary = await findMongod();
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-mongod-'));
  const node = new Node(binary, join(folder, 'member'), await freePort(), { parameters });
  const stop = async () => {
    await node.end('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  await node.start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { port: node.port, admin: (command) => node.admin(command), [Symbol.asyncDispose]: stop };
}

/**
 * Starts a replica set and waits until its primary takes writes.
 * @throws Error with mongod's output when mongod does not start.
 */
export async function startMongod(options: MongodOptions = {}): Promise<Mongod> {
  const { members = 1, detached = false, tracer = [] } = options;
  const binary = await findMongod();
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'ticket-booking-mongod-')));
  const nodes: Node[] = [];
  const stop = async () => {
    if (options.folder !== undefined) {
      await Promise.all(nodes.map((node) => node.end('SIGTERM')));
      return;
    }
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    for (let index = 0; index < members; index++) {
      const own = join(folder, `member-${index}`);
      const parameters = ['--replSet', replicaSet, ...(options.parameters ?? [])];
      const node = new Node(binary, own, await freePort({ isKept: true }), { detached, parameters, tracer });
      node.publicPort = (await options.inFront?.(node.port, index)) ?? node.port;
      nodes.push(node);
    }
    await Promise.all(nodes.map((node) => node.start()));
    await repeated(() => initiate(nodes));
    await primaryOf(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  const at = (member: number): Node => {
    const node = nodes[member];
    if (!node) throw new RangeError(`there is no member ${member}`);
    return node;
  };
  return {
    url: `mongodb://${nodes.map(({ publicPort }) => `127.0.0.1:${publicPort}`).join(',')}/?replicaSet=${replicaSet}`,
    ports: nodes.map(({ port }) => port),
    primary: () => primaryOf(nodes),
    whole: () => wholeSet(nodes),
    async stepDown() {
      await repeated(async () => {
        await at(await primaryOf(nodes)).admin({ replSetStepDown: 3, secondaryCatchUpPeriodSecs: 2 });
      });
    },
    kill: (member) => at(member).end('SIGKILL'),
    restart: (member) => at(member).start(),
    freeze: (member) => at(member).freeze(),
    thaw: (member) => at(member).signal('SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Repeats a command after errors that pass. */
async function repeated(command: () => Promise<void>): Promise<void> {
  for (let attemptsLeft = 5; ; attemptsLeft--) {
    try {
      return await command();
    } catch (error) {
      if (!isPassing(error) || attemptsLeft === 0) throw error;
    }
  }
}

/**
 * A member that changes its state closes all connections: that of a command, or those that look for the server. On a busy
 * machine the secondaries of a primary that steps down may be late, or another election comes first.
 */
function isPassing(error: unknown): boolean {
  if (error instanceof MongoServerError)
    return ['ExceededTimeLimit', 'NotWritablePrimary'].includes(error.codeName ?? '');
  return error instanceof MongoNetworkError || error instanceof MongoServerSelectionError;
}

/** Initiates the replica set. Data of an earlier run contain other ports, so their configuration is replaced. */
async function initiate(nodes: readonly Node[]): Promise<void> {
  const config = configOf(nodes);
  try {
    await nodes[0]?.admin({ replSetInitiate: config });
  } catch (error) {
    if (!(error instanceof MongoServerError && error.codeName === 'AlreadyInitialized')) throw error;
    const version = 1 + Math.max(...(await Promise.all(nodes.map((node) => node.configVersion()))));
    await nodes[0]?.admin({ replSetReconfig: { ...config, version }, force: true });
  }
}

function configOf(nodes: readonly Node[]): Document {
  return {
    _id: replicaSet,
    members: nodes.map(({ publicPort }, index) => ({ _id: index, host: `127.0.0.1:${publicPort}` })),
    // With these settings an election takes a second or two instead of ten.
    settings: { electionTimeoutMillis: 1000, heartbeatIntervalMillis: 200, heartbeatTimeoutSecs: 1 },
  };
}

async function primaryOf(nodes: readonly Node[]): Promise<number> {
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    for (const [index, node] of nodes.entries()) {
      if (await node.isPrimary()) return index;
    }
    await sleep(25);
  }
  throw new Error(`no member became primary: ${nodes.map((node) => node.lastWords()).join('\n')}`);
}

async function wholeSet(nodes: readonly Node[]): Promise<void> {
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    const states = await Promise.all(nodes.map((node) => node.isServing()));
    if (states.every(Boolean) && (await primaryOf(nodes)) >= 0) return;
    await sleep(100);
  }
  throw new Error(`not every member came back: ${nodes.map((node) => node.lastWords()).join('\n')}`);
}

/** One mongod process with its port and folder. It can be started repeatedly. */
class Node {
  readonly port: number;
  /** The port that clients and other members use. */
  publicPort: number;
  readonly #binary: string;
  readonly #folder: string;
  readonly #detached: boolean;
  readonly #parameters: readonly string[];
  readonly #tracer: readonly string[];
  #process: ChildProcess | undefined;
  #client: MongoClient | undefined;
  #output = '';

  constructor(
    binary: string,
    folder: string,
    port: number,
    {
      detached = false,
      parameters,
      tracer = [],
    }: { detached?: boolean; parameters: readonly string[]; tracer?: readonly string[] },
  ) {
    this.#binary = binary;
    this.#folder = folder;
    this.port = port;
    this.publicPort = port;
    this.#detached = detached;
    this.#parameters = parameters;
    this.#tracer = tracer;
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const [command = this.#binary, ...words] = [...this.#tracer, this.#binary, ...this.#arguments()];
    const child = spawn(command, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: this.#detached,
    });
    this.#process = child;
    this.#output = '';
    // Kill mongod if this process ends before the test has stopped it.
    const endToo = () => child.kill('SIGKILL');
    process.once('exit', endToo);
    child.once('exit', () => process.off('exit', endToo));
    await new Promise<void>((resolve, reject) => {
      const look = (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
        if (this.#output.includes('Waiting for connections')) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', look);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`mongod ended: ${this.lastWords()}`)));
    });
  }

  /** Runs a command on the admin database. @throws Error when the process does not answer. */
  async admin(command: Document): Promise<Document> {
    this.#client ??= new MongoClient(`mongodb://127.0.0.1:${this.port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 5_000,
      connectTimeoutMS: 5_000,
    });
    return this.#client.db('admin').command(command);
  }

  async isPrimary(): Promise<boolean> {
    const { isWritablePrimary } = await this.#hello();
    return isWritablePrimary === true;
  }

  /** Whether the member is the primary, or a secondary that keeps up. */
  async isServing(): Promise<boolean> {
    const { isWritablePrimary, secondary } = await this.#hello();
    return isWritablePrimary === true || secondary === true;
  }

  /** The answer to `hello`. Empty when the process does not answer. */
  async #hello(): Promise<Document> {
    if (!this.#isRunning()) return {};
    const command = this.admin({ hello: 1 });
    // A frozen process never answers.
    return Promise.race([command.catch(() => ({})), sleep(500, {})]);
  }

  /** The version of the replica set's configuration in the data; 0 when there is none. */
  async configVersion(): Promise<number> {
    await this.admin({ ping: 1 });
    const kept = await this.#client?.db('local').collection('system.replset').findOne();
    return kept?.version ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Stops the process. A request that is sent after this call finds the process frozen. */
  freeze(): void {
    if (this.#process !== undefined) freezeProcess(this.#process);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    const client = this.#client;
    this.#client = undefined;
    if (child && this.#isRunning()) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    await client?.close(true);
  }

  /** The end of the process's output, where mongod says why it failed. */
  lastWords(): string {
    return this.#output.slice(-2_000);
  }

  #isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  #arguments(): string[] {
    return [
      ...this.#parameters,
      ...['--bind_ip', '127.0.0.1', '--port', String(this.port)],
      ...['--dbpath', this.#folder, '--nounixsocket', '--wiredTigerCacheSizeGB', '0.25'],
      ...['--oplogSize', '128', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ];
  }
}
