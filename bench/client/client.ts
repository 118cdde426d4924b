import type { ChildProcess } from 'node:child_process';
import type { ClosedLoop, LoadResult, OpenLoop } from '../testbed.ts';
import type { ClientReply, ClientRequest, ProgressSample } from './protocol.ts';
import { spawnProgram } from './spawn.ts';

/** The load client runs in a process of its own, so that its CPU can be pinned and measured separately. */
export interface LoadClient extends AsyncDisposable {
  readonly pid: number;
  closedLoop(load: ClosedLoop): Promise<LoadResult>;
  openLoop(load: OpenLoop): Promise<LoadResult>;
  /** Forgets the orders bought so far, because their server is gone. */
  forget(): void;
  /** Ends the measured window now; the load returns the results up to this moment. */
  stop(): void;
}

export interface LoadClientOptions {
  /** The command that runs the process, such as `['taskset', '-c', '1']`; may be empty. */
  readonly under: readonly string[];
  /** Called once a second while a load runs. */
  readonly onProgress: (sample: ProgressSample) => void;
  /** Called at the beginning and the end of the measured window. */
  readonly onWindow?: (edge: 'begin' | 'end') => void;
}

export function startClient({ under, ...hearing }: LoadClientOptions): LoadClient {
  const child = spawnProgram(new URL('program.ts', import.meta.url), under);
  const endToo = () => child.kill('SIGKILL');
  process.once('exit', endToo);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', endToo);
      resolve();
    });
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid === undefined)
    throw new Error(`the load client could not be started with ${under[0] ?? process.execPath}`);
  return {
    pid,
    closedLoop: (load) => runLoad(child, { kind: 'closed', load }, hearing),
    openLoop: (load) => runLoad(child, { kind: 'open', load }, hearing),
    forget() {
      if (child.connected) child.send({ kind: 'forget' } satisfies ClientRequest);
    },
    stop() {
      if (child.connected) child.send({ kind: 'stop' } satisfies ClientRequest);
    },
    async [Symbol.asyncDispose]() {
      endToo();
      await ended;
    },
  };
}

function runLoad(
  child: ChildProcess,
  request: ClientRequest,
  { onProgress, onWindow }: Omit<LoadClientOptions, 'under'>,
): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      child.off('message', hear).off('exit', gone);
      settle();
    };
    const gone = () => end(() => reject(new Error('the load client has ended')));
    const hear = (reply: ClientReply) => {
      if (reply.kind === 'progress') onProgress(reply.sample);
      else if (reply.kind === 'window') onWindow?.(reply.edge);
      else if (reply.kind === 'result') end(() => resolve(reply.result));
      else end(() => reject(new Error(`the load client: ${reply.message}`)));
    };
    child.on('message', hear).once('exit', gone);
    if (child.connected) child.send(request);
    else gone();
  });
}
