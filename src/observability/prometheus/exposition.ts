import type { Metric, Registry } from 'prom-client';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { GaugeName } from '../metrics.ts';
import { gauges } from './catalogue.ts';
import type { MetricDefinition, Sample } from './instruments.ts';
import type { MetricsRecorder } from './recorder.ts';

/** What is asked for the picture of the moment. */
export interface GaugeSources {
  packages(): Promise<readonly PackageSnapshot[]>;
  /** What is missing to take orders; empty when ready. */
  missing(): Promise<readonly string[]>;
  readonly build: Readonly<Record<'version' | 'node' | 'engine' | 'store', string>>;
}

/** No scrape waits longer for a figure; it goes without. */
const patienceMs = 1_000;
/** Packages that are told of one by one: each has five series. */
const packagesMax = 100;

const readings: Readonly<Record<GaugeName, MetricDefinition>> = {
  active_actors: gauges.activeActors,
  mailbox_messages: gauges.mailbox,
  mailbox_messages_max: gauges.mailboxMax,
  inbox_messages: gauges.inbox,
  sockets: gauges.sockets,
};

/**
 * A registry of its own that tells what the recorder has kept and how things stand, with the process's own figures
 * (`process_…`, `nodejs_…`). The library is loaded by the first who looks.
 */
export async function exposition(recorder: MetricsRecorder, surroundings: GaugeSources): Promise<Registry> {
  const { default: prometheus } = await import('prom-client');
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  const tell: Tell = (type, { name, help }, read) => {
    const told = { name, help, type, get: async () => ({ name, help, type, values: await read() }) };
    registry.registerMetric(told as unknown as Metric);
  };
  for (const [type, kept] of keptBy(recorder)) tell(type, kept.described, () => kept.samples());
  describeMoment(recorder, surroundings, (described, read, otherwise = []) =>
    tell('gauge', described, () => inTime(read, otherwise)),
  );
  return registry;
}

type Read = () => readonly Sample[] | Promise<readonly Sample[]>;
/** Adds a metric to the registry, in the form that it asks its own for. */
type Tell = (type: 'counter' | 'histogram' | 'gauge', described: MetricDefinition, read: Read) => void;

function keptBy(recorder: MetricsRecorder) {
  const tallies = [
    recorder.purchases,
    recorder.orders,
    recorder.requests,
    recorder.commitFailures,
    recorder.fencedWrites,
    recorder.staleRefusals,
    recorder.takeovers,
    recorder.messages,
  ].map((tally) => ['counter', tally] as const);
  const spreads = [
    recorder.requestTimes,
    recorder.batches,
    recorder.commitTimes,
    recorder.sagaTimes,
    recorder.settling,
    recorder.supplierTimes,
  ].map((spread) => ['histogram', spread] as const);
  return [...tallies, ...spreads];
}

/** @param otherwise what is told where it cannot be read; nothing where absent. */
type AddGauge = (described: MetricDefinition, read: Read, otherwise?: readonly Sample[]) => void;

function describeMoment(recorder: MetricsRecorder, surroundings: GaugeSources, gauge: AddGauge): void {
  const { missing, build } = surroundings;
  const packages = sharing(() => surroundings.packages());
  gauge(gauges.buildInfo, () => [{ labels: build, value: 1 }]);
  gauge(gauges.ready, async () => only((await missing()).length === 0 ? 1 : 0), only(0));
  for (const [name, described] of Object.entries(readings) as [GaugeName, MetricDefinition][]) {
    gauge(described, async () => only((await recorder.readings.get(name)?.()) ?? 0));
  }
  gauge(gauges.breakerOpen, () =>
    (['flights', 'hotels'] as const).map((supplier) => ({
      labels: { supplier },
      value: recorder.openBreakers.has(supplier) ? 1 : 0,
    })),
  );
  gauge(gauges.sagas, () =>
    recorder.sagas().map(({ kind: saga, count: value }) => ({ labels: { saga }, value })),
  );
  gauge(gauges.oldestSaga, () =>
    recorder.sagas().map(({ kind: saga, oldestSeconds: value }) => ({ labels: { saga }, value })),
  );
  gauge(gauges.waiting, async () => only(sum(await packages(), ({ inventory }) => inventory.waiting)));
  gauge(gauges.units, async () => unitsOf(await packages(), {}));
  gauge(gauges.packageWaiting, async () =>
    longestLines(await packages()).map(({ package: { id }, inventory }) => ({
      labels: { package: id },
      value: inventory.waiting,
    })),
  );
  gauge(gauges.packageUnits, async () =>
    longestLines(await packages()).flatMap((one) => unitsOf([one], { package: one.package.id })),
  );
}

function unitsOf(snapshots: readonly PackageSnapshot[], labels: Sample['labels']): Sample[] {
  return (['remaining', 'held', 'confirmed', 'cancelling'] as const).map((state) => ({
    labels: { ...labels, state },
    value: sum(snapshots, ({ inventory }) => inventory[state]),
  }));
}

function longestLines(snapshots: readonly PackageSnapshot[]): readonly PackageSnapshot[] {
  if (snapshots.length <= packagesMax) return snapshots;
  const byLine = [...snapshots].sort(
    (one, other) => other.inventory.waiting - one.inventory.waiting || one.package.id - other.package.id,
  );
  return byLine.slice(0, packagesMax);
}

function sum(snapshots: readonly PackageSnapshot[], of: (snapshot: PackageSnapshot) => number): number {
  return snapshots.reduce((total, snapshot) => total + of(snapshot), 0);
}

function only(value: number): Sample[] {
  return [{ labels: {}, value }];
}

/** Those who ask while it is being read get the same. */
function sharing<T>(read: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= read().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

async function inTime(read: Read, otherwise: readonly Sample[]): Promise<readonly Sample[]> {
  const late = Promise.withResolvers<readonly Sample[]>();
  const timer = setTimeout(() => late.resolve(otherwise), patienceMs);
  try {
    return await Promise.race([read(), late.promise]);
  } catch {
    return otherwise;
  } finally {
    clearTimeout(timer);
  }
}
