import { startClient } from '../client/client.ts';
import type { Deployment, Stage, Subject } from '../stage.ts';
import { CpuMeter } from './cpu-meter.ts';
import { openDatabases } from './databases.ts';
import { startDeployment } from './deployments.ts';
import type { Placement } from './placement.ts';
import { residentBytes } from './processes.ts';
import type { Progress } from './progress.ts';
import { makeWorkFolder } from './work-folder.ts';

export interface StageOptions {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Only these contestants; empty: all. */
  readonly only: readonly string[];
  readonly placement: Placement;
  readonly progress: Progress;
  readonly cpuProfiles?: string;
}

/** A stage whose servers, databases and client are processes of this machine. */
export interface LocalStage extends Stage, AsyncDisposable {
  /** Stands before each line of progress. */
  announce(scenario: string): void;
  /** Of the databases that were started: `mongod 6.0.5`. */
  databaseVersions(): Promise<readonly string[]>;
  /** Stops the servers that still run. */
  stopAll(): Promise<void>;
}

export async function openStage(options: StageOptions): Promise<LocalStage> {
  const { isQuick, rounds, seconds, warmUpSeconds, only, placement, progress } = options;
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await makeWorkFolder());
  let scenario = '';
  const tell = (line: string) => progress.step(scenario === '' ? line : `${scenario} · ${line}`);
  const databases = undo.use(openDatabases(folder.path, (what) => tell(`starting ${what}`)));
  const meter = new CpuMeter();
  const running = new Set<Deployment>();
  const stopAll = async () => {
    await Promise.allSettled([...running].map((deployment) => deployment.stop()));
  };
  undo.defer(stopAll);
  // It is stopped first, so that servers need not wait for it.
  const client = undo.use(
    startClient({
      under: placement.clientUnder,
      onProgress: progress.pace,
      onWindow: (edge) => (edge === 'begin' ? meter.windowBegins() : meter.windowEnds()),
    }),
  );
  const parts = { databases, placement, folder: folder.path, cpuProfiles: options.cpuProfiles };
  const all = undo.move();

  return {
    isQuick,
    rounds,
    seconds,
    warmUpSeconds,
    wants: (contestant) => only.length === 0 || only.includes(contestant),
    async start(subject: Subject) {
      const started = await startDeployment(subject, parts);
      const deployment: Deployment = {
        ...started,
        async stop() {
          running.delete(deployment);
          client.forget();
          await started.stop();
        },
      };
      running.add(deployment);
      return deployment;
    },
    closedLoop: (load) => client.closedLoop(load),
    openLoop: (load) => client.openLoop(load),
    cpuOf: (pids, work) => meter.coresOf(pids, work),
    databasePids: () => databases.pids(),
    databaseVersions: () => databases.versions(),
    rss: residentBytes,
    progress: tell,
    announce(name) {
      scenario = name;
    },
    stopAll,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
