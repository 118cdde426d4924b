import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Prng } from '../simulation/prng.ts';
import type { EngineName } from '../support/cluster.ts';
import { AdminClient } from './admin-client.ts';
import {
  adminToken,
  type ChaosCluster,
  paymentWindowMs,
  startChaosCluster,
  waitersPerUnit,
} from './chaos-cluster.ts';
import { checkRun, type Findings, type Violation } from './checker/index.ts';
import { Client } from './client.ts';
import { clientsNow } from './clock.ts';
import { type Drained, drain, lookUpAll } from './drain.ts';
import { leaseTtlMs } from './fault-sequences.ts';
import { Load } from './load.ts';
import { runNemesis } from './nemesis.ts';
import { Operators } from './operators.ts';
import { PackageStock } from './package-stock.ts';
import { Recorder } from './recorder.ts';
import { type ChaosReport, weaknesses } from './report.ts';
import { drawSchedule } from './schedule.ts';
import { watchStalls } from './stalls.ts';
import { writeTimeline } from './timeline/index.ts';
import { type ReportViolation, WatchedInstance } from './watched-instance.ts';

export interface ChaosOptions {
  /** Duration of the load under faults. */
  readonly minutes: number;
  readonly seed: number;
  readonly engine: EngineName;
  /** Orders have to be paid. Only the actor engine knows payments. */
  readonly hasPayments: boolean;
  /** New buyers per second. */
  readonly rate: number;
  /** Folder for the results, which replace those of an earlier run. */
  readonly out: string;
  /** Ends the run early. A run that ends early counts as failed. */
  readonly stop: AbortSignal;
  /** Called every few seconds with one line. */
  readonly onProgress: (line: string) => void;
}

/**
 * The time for all orders to become final. An owner takes over within a lease and 5 s. Then its sagas need time,
 * because circuit breakers may be open and compensations unfinished.
 */
const settleMs = leaseTtlMs + 5_000 + 40_000;
/** The longest pause between two look-ups of a payment, after which an expired order ends. The first may fail. */
const lookUpPauseMs = 30_000;
/**
 * The rules that an engine does not promise, as SPEC.md says. The lock and queue engines have no owners: orders may
 * overtake each other in a crash, and one package may hold up another.
 */
const notPromised: Readonly<Record<EngineName, readonly string[]>> = {
  actor: [],
  lock: ['Q4', 'Q5', 'Q12'],
  queue: ['Q4', 'Q5', 'Q12'],
};
/** Buyers of a package at the moment when its suppliers fail. */
const rushSize = 100;
const progressEveryMs = 5_000;

/**
 * Starts a cluster, sells under faults, lets the orders become final, and compares the clients' history with the stored
 * state.
 * @throws Error when the run was not possible or was stopped. Such a run says nothing about the cluster.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { out, seed, minutes, engine, hasPayments, stop, onProgress } = options;
  const startedAt = performance.now();
  const violations: Violation[] = [];
  const reportViolation: ReportViolation = (rule, words) => {
    violations.push({ rule, words });
    onProgress(`VIOLATION ${rule}: ${words}`);
  };
  const files = await freshFiles(out);
  const prng = new Prng(seed);
  const stock = new PackageStock(minutes, prng.fork(), clientsNow);
  await using recorder = await Recorder.open(files.history);
  const events = { prng: new Prng(seed), now: clientsNow, write: recorder.write };
  await using chaosCluster = await startChaosCluster({
    ...{ engine, packages: stock.packages },
    ...(hasPayments ? { payments: events } : {}),
    onProgress(line) {
      stop.throwIfAborted();
      onProgress(line);
    },
  });
  const client = new Client({ origins: chaosCluster.origins, now: clientsNow, write: recorder.write });
  const { consumer } = chaosCluster.cluster;
  const instances = [...chaosCluster.cluster.instances, ...(consumer === undefined ? [] : [consumer])].map(
    (instance) => new WatchedInstance(instance, reportViolation),
  );
  const { counts } = recorder;
  let isClean = false;
  try {
    const run = seed.toString(36);
    const load = new Load({ client, stock, prng: prng.fork(), run, rate: options.rate });
    const operators = new Operators({
      client,
      admin: new AdminClient(client, adminToken),
      prng: prng.fork(),
      pickPackage: () => stock.pickOperated(),
      unfinished: () => recorder.unfinished.orders,
      takeEnded: () => load.takeDeparted(),
    });
    const loadMs = await sellUnderFaults(options, chaosCluster, instances, recorder, load, operators, stock);
    chaosCluster.events?.heal();
    const drained = await settle(options, client, recorder);
    await chaosCluster.events?.end();
    for (const words of drained.left.slice(0, 20)) reportViolation('did not settle', words);
    recorder.phase('end');
    await recorder.close();
    onProgress(`settled after ${(drained.tookMs / 1000).toFixed(1)} s; checking …`);
    const findings = await check(chaosCluster, options, files.history, reportViolation);
    violations.push(
      ...findings.violations,
      ...weaknesses(
        minutes,
        { ...figuresOf(load), orders: counts.orders, confirmed: counts.confirmed },
        counts.faults,
        findings.figures,
        hasPayments,
      ),
    );
    stop.throwIfAborted();
    await writeTimeline({
      historyFile: files.history,
      file: files.timeline,
      title: `Chaos, seed ${seed}, ${minutes} min`,
      findings: { ...findings, violations },
    });
    const report: ChaosReport = {
      ok: violations.length === 0,
      seed,
      minutes,
      loadSeconds: loadMs / 1000,
      seconds: (performance.now() - startedAt) / 1000,
      settledAfterMs: drained.tookMs,
      ...figuresOf(load),
      requests: counts.requests,
      orders: counts.orders,
      confirmed: counts.confirmed,
      answers: sorted(counts.answers),
      faults: sorted(counts.faults),
      figures: findings.figures,
      violations,
    };
    await writeFile(files.report, `${JSON.stringify(report, undefined, 2)}\n`);
    isClean = report.ok;
    return report;
  } finally {
    for (const each of instances) each.leave();
    await client.close();
    if (!isClean) await keepLogs(chaosCluster, out);
  }
}

async function freshFiles(out: string) {
  await mkdir(out, { recursive: true });
  const files = {
    history: join(out, 'history.jsonl'),
    report: join(out, 'report.json'),
    timeline: join(out, 'timeline.html'),
  };
  const logs = (await readdir(out)).filter((name) => /^(instance-\d+|consumer)\.log$/.test(name));
  for (const file of [...Object.values(files), ...logs.map((name) => join(out, name))])
    await rm(file, { force: true });
  return files;
}

/** Sells while faults occur. Returns the duration of the load in ms. All faults are healed at the end. */
async function sellUnderFaults(
  { minutes, seed, hasPayments, stop, onProgress }: ChaosOptions,
  { cluster, network }: ChaosCluster,
  instances: readonly WatchedInstance[],
  recorder: Recorder,
  load: Load,
  operators: Operators,
  stock: PackageStock,
): Promise<number> {
  const { counts } = recorder;
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  recorder.phase('load');
  let last = 'none';
  const progress = setInterval(() => {
    const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
    onProgress(
      `${clockTime(elapsedMs())} of ${clockTime(minutes * 60_000)}: ${load.begun} purchases, ${counts.orders} orders, ` +
        `${counts.confirmed} confirmed; ${faults} faults, the last: ${last}`,
    );
  }, progressEveryMs);
  const endWatch = watchStalls(recorder.write);
  const healing = new AbortController();
  const faults = runNemesis(
    {
      ...{ cluster, network, instances, now: clientsNow },
      schedule: drawSchedule(seed, minutes, hasPayments),
      pickPackage() {
        const packageId = stock.pickLargest();
        // With few buyers, a package that fails could not harm the others anyway.
        load.rush(packageId, rushSize);
        return packageId;
      },
      onFault(entry) {
        last = `${entry.fault} ${entry.target}`;
        recorder.write(entry);
      },
    },
    healing.signal,
  );
  const selling = Promise.all([load.run(), operators.run()]);
  try {
    // If the load or the faults fail, the other one is ended too.
    await Promise.race([selling, faults.then(() => new Promise(() => {})), over(minutes * 60_000, stop)]);
  } finally {
    healing.abort();
    load.stop();
    operators.stop();
    clearInterval(progress);
    endWatch();
    await Promise.allSettled([faults, selling]);
  }
  await Promise.all([faults, selling]);
  await operators.resumeAll();
  stop.throwIfAborted();
  return elapsedMs();
}

/** Resolves after this time, or when the run is stopped. */
function over(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    if (stop.aborted) end();
    stop.addEventListener('abort', end, { once: true });
  });
}

/** Waits until all orders are final. Then looks up a sample of the orders at every instance. */
async function settle(
  { hasPayments, stop }: ChaosOptions,
  client: Client,
  recorder: Recorder,
): Promise<Drained> {
  recorder.phase('drain');
  const unfinished = () => recorder.unfinished.orders;
  const timeoutMs = settleMs + (hasPayments ? paymentWindowMs + 2 * lookUpPauseMs : 0);
  const drained = await drain({ client, unfinished, timeoutMs, stop });
  stop.throwIfAborted();
  for (let instance = 0; instance < client.instances; instance++)
    await lookUpAll(client, recorder.counts.sample, { instance });
  return drained;
}

/** Runs the product's audit, and a checker that shares no code with the product. */
async function check(
  { cluster }: ChaosCluster,
  { engine, hasPayments }: ChaosOptions,
  historyFile: string,
  reportViolation: ReportViolation,
): Promise<Findings> {
  const { report } = await cluster.audit();
  const promised = report.findings.filter(({ rule }) => !notPromised[engine].includes(rule));
  for (const { rule, message } of promised.slice(0, 20)) reportViolation(`audit ${rule}`, message);
  if (!report.suppliersRead) reportViolation('audit', "it could not read the suppliers' ledger");
  if (hasPayments && report.payments === undefined)
    reportViolation('audit', "it could not read the payment provider's ledger");
  return checkRun({
    historyFile,
    mongoUrl: cluster.mongo.url,
    suppliersUrl: cluster.suppliersUrl,
    ...(cluster.paymentsUrl === undefined ? {} : { paymentsUrl: cluster.paymentsUrl }),
    waitersPerUnit,
    notPromised: notPromised[engine],
  });
}

async function keepLogs({ cluster }: ChaosCluster, out: string): Promise<void> {
  const processes = [...cluster.instances, ...(cluster.consumer === undefined ? [] : [cluster.consumer])];
  for (const each of processes) await writeFile(join(out, `${each.id}.log`), each.log());
}

function figuresOf({ begun, decided, turnedAway }: Load) {
  return { purchases: begun, decided, turnedAway };
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([one], [other]) => one.localeCompare(other)));
}

function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
