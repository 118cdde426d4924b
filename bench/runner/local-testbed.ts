import { startClient } from '../client/client.ts';
import type { SystemUnderTest, Testbed } from '../testbed.ts';
import { CpuMeter } from './cpu-meter.ts';
import { openDatabases } from './databases.ts';
import { startDeployment } from './deployments.ts';
import type { Placement } from './placement.ts';
import { residentBytes } from './processes.ts';
import { Profiler } from './profiler.ts';
import { endPrograms } from './program.ts';
import type { Progress } from './progress.ts';
import { StartedServers } from './started-servers.ts';
import { makeWorkFolder } from './work-folder.ts';

export interface StageOptions {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Names of contestants; empty means all. */
  readonly only: readonly string[];
  readonly placement: Placement;
  readonly progress: Progress;
  /** The folder for CPU profiles of the servers; without it, none are made. */
  readonly cpuProfiles?: string;
}

/** Runs servers, databases and the client as processes of this machine. */
export interface LocalTestbed extends Testbed, AsyncDisposable {
  /** Sets the text in front of each progress line. */
  announce(scenario: string): void;
  /** Versions of the started databases: `mongod 6.0.5`. */
  databaseVersions(): Promise<readonly string[]>;
  /** Stops the servers that run or are starting. */
  stopAll(): Promise<void>;
}

export async function openTestbed(options: StageOptions): Promise<LocalTestbed> {
  const { isQuick, rounds, seconds, warmUpSeconds, only, placement, progress } = options;
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await makeWorkFolder());
  let scenario = '';
  let isOver = false;
  const tell = (line: string) => {
    // After the end, a scenario that is still unwinding must not show progress.
    if (!isOver) progress.step(scenario === '' ? line : `${scenario} · ${line}`);
  };
  const databases = undo.use(openDatabases(folder.path, (what) => tell(`starting ${what}`)));
  const meter = new CpuMeter();
  const profiler = options.cpuProfiles === undefined ? undefined : new Profiler(options.cpuProfiles);
  const watchers = [meter, ...(profiler === undefined ? [] : [profiler])];
  const starts = new StartedServers();
  undo.defer(() => starts.stopAll());
  // Disposed first, so that servers need not wait for its requests.
  const client = undo.use(
    startClient({
      under: placement.clientUnder,
      onProgress: ({ answeredPerSecond }) => progress.pace(answeredPerSecond),
      onWindow: (edge) => {
        for (const watcher of watchers) edge === 'begin' ? watcher.windowBegins() : watcher.windowEnds();
      },
    }),
  );
  const parts = { databases, placement, folder: folder.path, profiler };
  undo.defer(() => {
    isOver = true;
    starts.end();
    endPrograms();
  });
  const all = undo.move();

  return {
    isQuick,
    rounds,
    seconds,
    warmUpSeconds,
    wants: (contestant) => only.length === 0 || only.includes(contestant),
    start: (subject: SystemUnderTest) =>
      starts.start(async () => {
        const started = await startDeployment(subject, parts);
        return {
          ...started,
          async stop() {
            client.forget();
            await started.stop();
          },
        };
      }),
    closedLoop: (load) => client.closedLoop(load),
    openLoop: (load) => client.openLoop(load),
    cpuOf: (pids, work) => meter.coresOf(pids, work),
    profileOf: async (pids, work) => profiler?.during(pids, work) ?? { result: await work() },
    databaseVersions: () => databases.versions(),
    rss: residentBytes,
    progress: tell,
    announce(name) {
      scenario = name;
    },
    stopAll: () => starts.stopAll(),
    async [Symbol.asyncDispose]() {
      // The error that ended the bench matters more than one of the clean-up.
      await all.disposeAsync().catch((error: unknown) => console.error('could not be removed:', error));
    },
  };
}
