import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { spawnProgram } from './spawn.ts';
import type { CutReport, ViewersReply, ViewersReport, ViewersRequest } from './viewers-protocol.ts';

/** WebSockets on `GET /live` in a process of their own; disposing closes them all. */
export interface Viewers extends AsyncDisposable {
  /**
   * Opens viewers that watch the free units of a package.
   * @throws Error when one cannot be opened.
   */
  open(origin: string, watch: Watch, count: number): Promise<void>;
  /** From now on, each decrease from this number of free units is one change. */
  record(freeUnits: number): Promise<void>;
  /**
   * Cuts the connections of this many viewers at once. Resolves when all of them have reconnected and got the current
   * state, or after the timeout.
   */
  cut(count: number, timeoutMs: number): Promise<CutReport>;
  /**
   * Waits until all viewers have seen all changes, or until the timeout.
   * @param madeAt when each change was made, by `monotonicMs()`.
   */
  report(madeAt: readonly number[], timeoutMs: number): Promise<ViewersReport>;
}

export interface Watch {
  /** `packages` as on the order page, or `package:1`. */
  readonly topic: string;
  /** The package whose free units are watched. */
  readonly packageId: number;
}

/** @param under the command that runs the process, such as `['taskset', '-c', '1']`; may be empty. */
export function startViewers(under: readonly string[]): Viewers {
  // The process ends with its message channel.
  const child = spawnProgram(new URL('viewers-program.ts', import.meta.url), under);
  return {
    async open(origin, { topic, packageId }, count) {
      const { failures } = await send(child, { kind: 'open', origin, topic, packageId, count });
      if (failures.length > 0) throw new Error(`viewers could not connect: ${failures.join('; ')}`);
    },
    async record(freeUnits) {
      await send(child, { kind: 'record', freeUnits });
    },
    cut: (count, timeoutMs) => send(child, { kind: 'cut', count, timeoutMs }),
    report: (madeAt, timeoutMs) => send(child, { kind: 'report', madeAt, timeoutMs }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

/** One request at a time. */
function send<Kind extends ViewersRequest['kind']>(
  child: ChildProcess,
  request: Extract<ViewersRequest, { kind: Kind }>,
): Promise<Extract<ViewersReply, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      child.off('message', hear).off('close', gone).off('error', gone);
      settle();
    };
    const hear = (reply: Extract<ViewersReply, { kind: Kind }>) => end(() => resolve(reply));
    const gone = () => end(() => reject(new Error('the process of the viewers has ended')));
    child.on('message', hear).once('close', gone).once('error', gone);
    if (child.connected) child.send(request);
    else gone();
  });
}
