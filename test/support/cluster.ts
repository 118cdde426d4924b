import { join } from 'node:path';
import type { TravelPackage } from '../../src/domain/travel-package.ts';
import { openMongoStore } from '../../src/storage/mongodb/mongo-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { type AuditRun, runAudit } from './audit.ts';
import { freePort } from './free-port.ts';
import { type NodeProcess, startNodeProcess } from './node-process.ts';
import { type Mongod, startMongod } from './servers/mongod.ts';
import { type RedisServer, startRedis } from './servers/redis.ts';

export type EngineName = 'actor' | 'lock' | 'queue';

export interface ClusterOptions {
  readonly instances: number;
  readonly engine?: EngineName;
  /** Members of the MongoDB replica set; default 1. */
  readonly members?: 1 | 3;
  /** Packages on sale; default: the sample packages, which the first instance inserts. */
  readonly packages?: readonly TravelPackage[];
  /** Environment variables of every instance and the suppliers. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Suppliers that already run; default: starts `npm run suppliers`. */
  readonly suppliersUrl?: string;
  /** Orders have to be paid at the provider in the process of the suppliers. Default: `settings` say whether. */
  readonly payments?: ClusterPayments;
  /** Port of the first instance. The other instances get the ports after it. Default: free ports. */
  readonly firstPort?: number;
  /** Folder for the data of MongoDB and the suppliers. Default: a folder that is deleted at the end. */
  readonly folder?: string;
  /** Whether instances inherit this process's environment. */
  readonly inherit?: boolean;
  /** Starts processes in their own process groups, so that Ctrl-C does not reach them. */
  readonly detached?: boolean;
  /** Called before each part is started. */
  readonly onProgress?: (what: string) => void;
  /** Called with each line that instances, suppliers and consumer print. */
  readonly onLine?: (line: string) => void;
  /** A network between the parts. Default: direct connections. */
  readonly network?: ClusterNetwork;
}

export interface ClusterPayments {
  /** Where the provider sends its events, which `PAYMENTS_WEBHOOK_SECRET` signs. Default: it sends none. */
  readonly eventsUrl?: string;
}

/** Puts proxies between the parts of a cluster. Each method gets the port or URL of a part and returns the proxy's. */
export interface ClusterNetwork {
  /** Called for each replica set member. All clients of the member use the proxy, including the other members. */
  toMember(port: number, member: number): Promise<number>;
  toRedis(url: string, instance: string): Promise<string>;
  /** The way to the payment provider too. */
  toSuppliers(url: string, instance: string): Promise<string>;
}

/** One process of the cluster: an instance, or the consumer. */
export interface ClusterProcess {
  /** The process's INSTANCE_ID. */
  readonly id: string;
  readonly pid: number;
  readonly isRunning: boolean;
  /** Resolves when the process has ended, with its exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  /** Sends SIGKILL. */
  kill(): Promise<void>;
  /** Sends SIGTERM and waits until the instance has drained. Returns its exit code. */
  terminate(): Promise<number | null>;
  /** Stops the process (SIGSTOP) until `resume`. */
  pause(): void;
  /** Lets the process run again (SIGCONT). */
  resume(): void;
  /** Starts it again at the same address, after it has ended. From now on it runs the program in `folder`, if given. */
  restart(folder?: string): Promise<void>;
  /** Everything that the process has printed, including before restarts. */
  log(): string;
}

/** One server of the cluster. */
export interface ClusterInstance extends ClusterProcess {
  readonly origin: string;
}

/** A cluster of real processes on the loopback interface. */
export interface Cluster extends AsyncDisposable {
  readonly origins: readonly string[];
  readonly instances: readonly ClusterInstance[];
  readonly mongo: Mongod;
  readonly redis: RedisServer;
  /** The value for `SUPPLIERS_URL`. */
  readonly suppliersUrl: string;
  /** The value for `PAYMENTS`. Only with the option `payments`. */
  readonly paymentsUrl: string | undefined;
  readonly suppliers: NodeProcess | undefined;
  /** Only with the queue engine. */
  readonly consumer: ClusterProcess | undefined;
  /** The test's own connection to the store. */
  readonly store: Store;
  /** Runs `npm run audit` while the cluster runs. */
  audit(): Promise<AuditRun>;
  /** The instance that last became the owner of the package. */
  ownerOf(packageId: number): Promise<ClusterInstance | undefined>;
  /** Stops all processes, instances first. A second call waits for the first. */
  end(): Promise<void>;
}

/** To which buyers return from the payment provider. No test follows them there. */
const publicOrigin = 'http://tickets.example';
/** How long a process may take to drain. */
const drainMs = 20_000;

/**
 * Starts MongoDB, Redis, the suppliers and the instances, in this order.
 * @throws Error with the output of a part that does not start. In that case the other parts are stopped.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { instances: count, engine = 'actor', members = 1, packages, payments, detached = false } = options;
  const { inherit = false, folder, firstPort, onProgress = () => {}, onLine = () => {}, network } = options;
  const inFolder = (name: string) => (folder === undefined ? undefined : join(folder, name));
  await using parts = new AsyncDisposableStack();

  onProgress(members === 1 ? 'MongoDB, a replica set of one' : `MongoDB, a replica set of ${members}`);
  const kept = inFolder('mongodb');
  const mongo = parts.use(
    await startMongod({
      members,
      detached,
      ...(kept === undefined ? {} : { folder: kept }),
      ...(network === undefined ? {} : { inFront: (port, member) => network.toMember(port, member) }),
    }),
  );
  onProgress('Redis');
  const redis = parts.use(await startRedis({ detached }));

  let suppliers: NodeProcess | undefined;
  if (options.suppliersUrl === undefined) {
    onProgress('the suppliers');
    const ledger = inFolder('suppliers.db') ?? ':memory:';
    suppliers = parts.adopt(
      await startNodeProcess({
        program: 'src/commands/suppliers.ts',
        parameters: [
          ...['--port', '0', '--ledger', ledger],
          ...(payments?.eventsUrl === undefined ? [] : ['--payment-events', payments.eventsUrl]),
        ],
        settings: options.settings ?? {},
        ready: /listen on (?<url>http:\S+)/,
        ...{ inherit, detached, onLine },
      }),
      async (process) => {
        await process.end('SIGTERM', drainMs);
      },
    );
  }
  const suppliersUrl = options.suppliersUrl ?? (suppliers?.match.groups?.url as string);
  /** The settings of the payment provider, which is beside the suppliers. */
  const paymentsBeside = (url: string): Record<string, string> =>
    payments === undefined ? {} : { PAYMENTS: providerBeside(url), PUBLIC_ORIGIN: publicOrigin };

  const settings = {
    HOST: '127.0.0.1',
    // If instances inherit the environment, the environment decides about rate limits.
    ...(inherit ? {} : { RATE_LIMIT: 'off' }),
    ...options.settings,
    DATABASE_URL: mongo.url,
    REDIS_URL: redis.url,
    SUPPLIERS_URL: suppliersUrl,
    ...paymentsBeside(suppliersUrl),
    ENGINE: engine,
  };
  const store = parts.adopt(await openMongoStore({ url: mongo.url }), (opened) => opened.close());
  if (packages !== undefined) await store.addPackages(packages);

  onProgress(`${count} ${count === 1 ? 'instance' : 'instances'}`);
  const settingsOf = async (id: string) => {
    if (network === undefined) return settings;
    const behind = await network.toSuppliers(suppliersUrl, id);
    return {
      ...settings,
      ...{ REDIS_URL: await network.toRedis(redis.url, id), SUPPLIERS_URL: behind },
      ...paymentsBeside(behind),
    };
  };
  const instances: Instance[] = [];
  for (let index = 0; index < count; index++) {
    const id = `instance-${index + 1}`;
    const port = firstPort === undefined || firstPort === 0 ? undefined : firstPort + index;
    const program = { program: 'src/start.mjs', ready: /listens on http:\S+|waits for its store/ };
    instances.push(
      new Instance(id, port, { ...program, settings: await settingsOf(id), inherit, detached, onLine }),
    );
  }
  parts.defer(async () => {
    await Promise.all(instances.map((instance) => instance.terminate()));
  });
  const started = await Promise.allSettled(instances.map((instance) => instance.start()));
  for (const each of started) if (each.status === 'rejected') throw each.reason;

  let consumer: Instance | undefined;
  if (engine === 'queue') {
    onProgress('the consumer');
    const program = { program: 'src/commands/consumer.ts', ready: /takes orders/ };
    const consumerSettings = await settingsOf('consumer');
    consumer = new Instance('consumer', undefined, {
      ...{ ...program, settings: consumerSettings, inherit, detached, onLine },
    });
    parts.adopt(consumer, async (process) => {
      await process.terminate();
    });
    await consumer.start();
  }

  const all = parts.move();
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= all.disposeAsync();
    return ending;
  };
  return {
    origins: instances.map(({ origin }) => origin),
    instances,
    mongo,
    redis,
    suppliersUrl,
    paymentsUrl: payments && providerBeside(suppliersUrl),
    suppliers,
    consumer,
    store,
    audit: () =>
      runAudit({ DATABASE_URL: mongo.url, SUPPLIERS_URL: suppliersUrl, ...paymentsBeside(suppliersUrl) }),
    async ownerOf(packageId) {
      const owner = await store.owner(packageId);
      return instances.find(({ id }) => id === owner);
    },
    end,
    [Symbol.asyncDispose]: end,
  };
}

/** The payment provider of the process whose suppliers have this URL. */
function providerBeside(suppliersUrl: string): string {
  return suppliersUrl.replace(/\/suppliers$/, '');
}

interface InstanceOptions {
  readonly program: string;
  readonly ready: RegExp;
  readonly settings: Readonly<Record<string, string>>;
  readonly inherit: boolean;
  readonly detached: boolean;
  readonly onLine: (line: string) => void;
}

class Instance implements ClusterInstance {
  readonly id: string;
  readonly #options: InstanceOptions;
  #port: number | undefined;
  /** Of the program; default: this project. */
  #folder: string | undefined;
  #process: NodeProcess | undefined;
  #pastLives = '';

  constructor(id: string, port: number | undefined, options: InstanceOptions) {
    this.id = id;
    this.#port = port;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { settings, ...others } = this.#options;
    this.#port ??= await freePort({ isKept: true });
    this.#process = await startNodeProcess({
      settings: { ...settings, INSTANCE_ID: this.id, PORT: String(this.#port) },
      ...(this.#folder === undefined ? {} : { folder: this.#folder }),
      ...others,
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  get isRunning(): boolean {
    return this.#process?.isRunning ?? false;
  }

  get ended(): Promise<number | null> {
    return this.#running().ended;
  }

  async kill(): Promise<void> {
    await this.#process?.end('SIGKILL');
  }

  async terminate(): Promise<number | null> {
    return (await this.#process?.end('SIGTERM', drainMs)) ?? null;
  }

  pause(): void {
    this.#process?.signal('SIGSTOP');
  }

  resume(): void {
    this.#process?.signal('SIGCONT');
  }

  async restart(folder = this.#folder): Promise<void> {
    this.#folder = folder;
    this.#pastLives = this.log();
    await this.start();
  }

  log(): string {
    return this.#pastLives + (this.#process?.output() ?? '');
  }

  #running(): NodeProcess {
    if (this.#process === undefined) throw new Error(`${this.id} was not started`);
    return this.#process;
  }
}
