import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeProcess } from '../../test/support/node-process.ts';
import { type CpuProfile, cut, partsOf } from './profile-parts.ts';

/** Between two samples. The samples of two seconds are then exact to about a percent of the time. */
const sampleUs = 500;
const inspector = /Debugger listening on (?<url>ws:\/\/\S+)/;

/**
 * Profiles servers while work runs, by V8's inspector. If loads run in the work, only their measured windows count, as
 * for the CPU time. Each profile is also written to a folder.
 */
export class Profiler {
  /** The environment of a server that can be profiled. */
  static readonly settings = { NODE_OPTIONS: '--inspect=127.0.0.1:0' } as const;

  readonly #folder: string;
  readonly #servers = new Map<number, { readonly name: string; readonly url: string }>();
  readonly #recordings = new Set<Recording>();
  #written = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws Error if the server was started without the settings. */
  add(name: string, server: NodeProcess): void {
    const url = inspector.exec(server.output())?.groups?.url;
    if (url === undefined)
      throw new Error(`${name} cannot be profiled: it tells no address of its inspector`);
    this.#servers.set(server.pid, { name, url });
  }

  windowBegins(): void {
    for (const recording of this.#recordings) recording.begin();
  }

  windowEnds(): void {
    for (const recording of this.#recordings) recording.end();
  }

  /**
   * @param pids of processes; those that are no servers are left out.
   * @returns the cores that each part of the servers used; nothing without servers.
   */
  async during<T>(
    pids: readonly number[],
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly profile?: Readonly<Record<string, number>> }> {
    const servers = pids.flatMap((pid) => this.#servers.get(pid) ?? []);
    if (servers.length === 0) return { result: await work() };
    const recordings = await Promise.all(servers.map(({ url }) => Recording.open(url)));
    for (const recording of recordings) this.#recordings.add(recording);
    try {
      const result = await work();
      const profiles = await Promise.all(recordings.map((recording) => recording.profile()));
      await Promise.all(profiles.map((profile, at) => this.#write(servers[at]?.name ?? '', profile)));
      return { result, profile: sumOf(profiles.map(partsOf)) };
    } finally {
      for (const recording of recordings) {
        this.#recordings.delete(recording);
        recording.close();
      }
    }
  }

  async #write(name: string, profile: CpuProfile): Promise<void> {
    const number = String(++this.#written).padStart(3, '0');
    await writeFile(join(this.#folder, `${number}-${name}.cpuprofile`), JSON.stringify(profile));
  }
}

/** The recording of one server. It runs all the time, because V8 takes long to begin one, and a window is cut out of it. */
class Recording {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;
  #windowBegins: number | undefined;
  #windowEnds: number | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
    socket.addEventListener('close', () => {
      for (const { reject } of this.#answers.values()) reject(new ServerEndedError());
    });
  }

  /** @throws Error if the server's inspector cannot be reached. */
  static async open(url: string): Promise<Recording> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const recording = new Recording(socket);
    await recording.#call('Profiler.enable');
    await recording.#call('Profiler.setSamplingInterval', { interval: sampleUs });
    await recording.#call('Profiler.start');
    return recording;
  }

  begin(): void {
    this.#windowBegins = nowUs();
  }

  end(): void {
    this.#windowEnds = nowUs();
  }

  /** Ends the recording. */
  async profile(): Promise<CpuProfile> {
    const { profile } = (await this.#call('Profiler.stop')) as { readonly profile: CpuProfile };
    return cut(profile, this.#windowBegins ?? profile.startTime, this.#windowEnds ?? profile.endTime);
  }

  /** A server with an open inspector would wait for it before it ends. */
  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new ServerEndedError());
    const answer = Promise.withResolvers<unknown>();
    const id = ++this.#calls;
    this.#answers.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise;
  }

  #receive(text: string): void {
    const { id, result, error } = JSON.parse(text) as {
      readonly id: number;
      readonly result?: unknown;
      readonly error?: { readonly message: string };
    };
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(`the inspector refused: ${error.message}`));
  }
}

/** On the clock of the profiles, which all processes of a machine share. */
function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

class ServerEndedError extends Error {
  override readonly name = 'ServerEndedError';

  constructor() {
    super('the profiled server has ended');
  }
}

function sumOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const parts of all) {
    for (const [part, cores] of Object.entries(parts)) sums[part] = (sums[part] ?? 0) + cores;
  }
  return sums;
}
