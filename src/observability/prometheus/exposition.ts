import type { Metric, Registry } from 'prom-client';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { BookingEngine } from '../../engine/engine.ts';
import { singleFlight } from '../../lib/cached.ts';
import { withTimeout } from '../../lib/deadline.ts';
import { type FailingSupplier, supplierKinds } from '../../suppliers/suppliers.ts';
import { gaugeNames, type Metrics } from '../metrics.ts';
import { type MetricDefinition, MetricsRecorder, metric, type Sample } from './recorder.ts';

/** What is exported about packages. */
export interface PackageFigures {
  /** The sums over all packages. */
  readonly totals: Readonly<Record<UnitState | 'waiting', number>>;
  /** The packages with series of their own: those with the longest queues, {@link packagesMax} at most. */
  readonly longestQueues: readonly PackageSnapshot[];
}

type UnitState = (typeof unitStates)[number];
const unitStates = ['remaining', 'held', 'confirmed', 'cancelling'] as const;

/** Values that the gauges read, besides the recorded values. */
export interface GaugeSources {
  /** Omitted by a process that knows no packages. Then the gauges about packages are left out. */
  readonly packages?: () => Promise<PackageFigures>;
  /** Why this instance cannot take orders; empty when it is ready. */
  readinessProblems(): Promise<readonly string[]>;
  /** The kinds of suppliers that give no definite answers for some packages. */
  failing(): readonly Pick<FailingSupplier, 'supplier'>[];
  readonly build: Readonly<Record<'version' | 'node' | 'engine' | 'store', string>>;
}

/** The body of `GET /metrics`. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** A metric with its values, in the form of prom-client. */
export interface MetricValues {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Sample[];
}

/** Reports a request. See {@link Metrics.request}. */
export type RequestReport = (route: string, method: string, status: number, seconds: number) => void;

export interface MetricsSource extends Metrics {
  /** The same values as data. */
  collect(sources: GaugeSources): Promise<readonly MetricValues[]>;
  /** Reports each further request to this function too. */
  onRequest(report: RequestReport): void;
  /**
   * All values in Prometheus's text format, with the metrics of the process (`process_…`, `nodejs_…`). Concurrent
   * scrapes share one read.
   */
  expose(sources: GaugeSources): Promise<Exposition>;
}

/** A gauge that takes longer to read is left out of the scrape. */
const readTimeoutMs = 1_000;
/** The most packages that have series of their own: five series each. */
const packagesMax = 100;

/** Reads what is exported about packages, without a visit to every package. @throws StoreUnavailableError */
export async function packageFigures(
  engine: Pick<BookingEngine, 'packages' | 'cachedPackages'>,
): Promise<PackageFigures> {
  const { items: first } = await engine.packages({ group: 'all', limit: packagesMax });
  const { cachedPackages } = engine;
  const [current, archived] = [cachedPackages.totals('current'), cachedPackages.totals('archived')];
  const total = (name: UnitState | 'waiting') => current[name] + archived[name];
  const queued = cachedPackages.busy().filter(({ inventory }) => inventory.waiting > 0);
  const empty = first.filter(({ inventory }) => inventory.waiting === 0);
  const longestQueues = [
    ...queued.sort((a, b) => b.inventory.waiting - a.inventory.waiting || a.package.id - b.package.id),
    ...empty,
  ].slice(0, packagesMax);
  const totals = {
    waiting: total('waiting'),
    remaining: total('remaining'),
    held: total('held'),
    confirmed: total('confirmed'),
    cancelling: total('cancelling'),
  };
  return { totals, longestQueues };
}

/** The metrics of one instance. */
export function createMetrics(): MetricsSource {
  return new PrometheusMetrics();
}

class PrometheusMetrics extends MetricsRecorder implements MetricsSource {
  #sources: GaugeSources | undefined;
  #registry: Promise<Registry> | undefined;
  #reportRequest: RequestReport | undefined;
  readonly #read = singleFlight(async () => {
    const registry = await this.#registryOf(this.#sources as GaugeSources);
    return { contentType: registry.contentType, text: await registry.metrics() };
  });

  expose(sources: GaugeSources): Promise<Exposition> {
    this.#sources = sources;
    return this.#read();
  }

  async collect(sources: GaugeSources): Promise<readonly MetricValues[]> {
    const metrics = await (await this.#registryOf(sources)).getMetricsAsJSON();
    return metrics as unknown as readonly MetricValues[];
  }

  onRequest(report: RequestReport): void {
    this.#reportRequest = report;
  }

  override request(route: string, method: string, status: number, seconds: number): void {
    super.request(route, method, status, seconds);
    this.#reportRequest?.(route, method, status, seconds);
  }

  #registryOf(sources: GaugeSources): Promise<Registry> {
    this.#registry ??= registryOf(this, sources);
    return this.#registry;
  }
}

/** All gauges. A gauge of the `Metrics` port has its name as the key. */
export const gauges = {
  active_actors: metric('active_actors', 'Packages that this instance owns, or is about to own.'),
  mailbox_messages: metric('mailbox_messages', 'Messages in the mailboxes of all active actors.'),
  mailbox_messages_max: metric('mailbox_messages_max', 'Messages in the fullest mailbox.'),
  inbox_messages: metric(
    'inbox_messages',
    'Messages of other instances, or frames of them, that this one has not taken yet.',
  ),
  oldest_failing_notice_seconds: metric(
    'oldest_failing_notice_seconds',
    'How long deliveries of the oldest failing mail or webhook have failed, without refused recipients; 0 if none fails.',
  ),
  payment_overdue_seconds: metric(
    'payment_overdue_seconds',
    'How long the oldest order that is still payable after its time has been so; 0 if there is none.',
  ),
  sockets: metric('sockets', 'Open WebSockets.'),
  buildInfo: metric(
    'build_info',
    'Always 1; the labels say what runs.',
    'version',
    'node',
    'engine',
    'store',
  ),
  ready: metric('ready', 'Whether this instance can take orders, as /readyz says.'),
  breakerOpen: metric(
    'breaker_open',
    '1 while a circuit breaker of a supplier is open, for one package or more.',
    'supplier',
  ),
  sagas: metric('sagas_in_progress', 'Sagas that are due and have not ended.', 'saga'),
  oldestSaga: metric(
    'oldest_saga_seconds',
    'How long the oldest saga of this activation has been due.',
    'saga',
  ),
  waiting: metric('waiting_orders', 'Queued orders of all packages.'),
  units: metric('units', 'Units of all packages, by state.', 'state'),
  packageWaiting: metric('package_waiting_orders', 'Queued orders of the 100 longest queues.', 'package'),
  packageUnits: metric('package_units', 'Units of the same packages, by state.', 'package', 'state'),
} as const satisfies Record<string, MetricDefinition>;

type Read = () => readonly Sample[] | Promise<readonly Sample[]>;

/** A registry that reads the recorder and the sources at each scrape. prom-client is loaded for the first scrape. */
async function registryOf(recorder: MetricsRecorder, sources: GaugeSources): Promise<Registry> {
  const { default: prometheus } = await import('prom-client');
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  const add = (type: 'counter' | 'histogram' | 'gauge', { name, help }: MetricDefinition, read: Read) => {
    // The registry uses only these members of a metric.
    const metric = { name, help, type, get: async () => ({ name, help, type, values: await read() }) };
    registry.registerMetric(metric as unknown as Metric);
  };
  for (const counter of Object.values(recorder.counters)) {
    add('counter', counter.definition, () => counter.samples());
  }
  for (const histogram of Object.values(recorder.histograms)) {
    add('histogram', histogram.definition, () => histogram.samples());
  }
  addGauges(recorder, sources, (definition, read, fallback = []) =>
    add('gauge', definition, () =>
      withTimeout({ ms: readTimeoutMs }, async () => read()).catch(() => fallback),
    ),
  );
  return registry;
}

/** @param fallback is exported if the gauge cannot be read; default: nothing. */
type AddGauge = (definition: MetricDefinition, read: Read, fallback?: readonly Sample[]) => void;

function addGauges(recorder: MetricsRecorder, sources: GaugeSources, add: AddGauge): void {
  const { readinessProblems, failing, build } = sources;
  for (const name of gaugeNames) {
    add(gauges[name], async () => single((await recorder.gauges.get(name)?.()) ?? 0));
  }
  add(gauges.buildInfo, () => [{ labels: build, value: 1 }]);
  add(gauges.ready, async () => single((await readinessProblems()).length === 0 ? 1 : 0), single(0));
  add(gauges.breakerOpen, () => {
    const open = new Set(failing().map(({ supplier }) => supplier));
    // The payment provider is shown only once it has failed, because most sales have none.
    return [...new Set([...supplierKinds, ...open])].map((supplier) => ({
      labels: { supplier },
      value: open.has(supplier) ? 1 : 0,
    }));
  });
  add(gauges.sagas, () => recorder.sagas().map(({ saga, count }) => ({ labels: { saga }, value: count })));
  add(gauges.oldestSaga, () =>
    recorder.sagas().map(({ saga, oldestSeconds }) => ({ labels: { saga }, value: oldestSeconds })),
  );
  if (sources.packages !== undefined) addPackageGauges(sources.packages, add);
}

function addPackageGauges(read: () => Promise<PackageFigures>, add: AddGauge): void {
  // The gauges share one read.
  const packages = singleFlight(read);
  add(gauges.waiting, async () => single((await packages()).totals.waiting));
  add(gauges.units, async () => unitsOf((await packages()).totals, {}));
  add(gauges.packageWaiting, async () =>
    (await packages()).longestQueues.map(({ package: { id }, inventory }) => ({
      labels: { package: id },
      value: inventory.waiting,
    })),
  );
  add(gauges.packageUnits, async () =>
    (await packages()).longestQueues.flatMap(({ package: { id }, inventory }) =>
      unitsOf(inventory, { package: id }),
    ),
  );
}

function unitsOf(units: Readonly<Record<UnitState, number>>, labels: Sample['labels']): Sample[] {
  return unitStates.map((state) => ({ labels: { ...labels, state }, value: units[state] }));
}

function single(value: number): Sample[] {
  return [{ labels: {}, value }];
}
