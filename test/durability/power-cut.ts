import {
  closeSync,
  createReadStream,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { type DiskCall, TraceReader } from './disk-trace.ts';

export interface PowerCut {
  /** The file that strace wrote. */
  readonly log: string;
  /** The folder with the files of the traced program. */
  readonly folder: string;
  /** An empty folder that gets what is left of these files. */
  readonly target: string;
  /** When the power is cut, as Unix time in ms. */
  readonly atMs: number;
  /** Whether a write that was not synced is on the disk nevertheless. Default: none of them is. */
  readonly survives?: () => boolean;
}

/**
 * Rebuilds what a power cut leaves of a program's files: the writes that had ended when a completed `fsync` or
 * `fdatasync` of their file began, and of the others as many as `survives` says. Names and sizes of files count as
 * durable at once.
 */
export async function cutPower({
  log,
  folder,
  target,
  atMs,
  survives = () => false,
}: PowerCut): Promise<void> {
  const disk = new Disk(folder, target);
  const reader = new TraceReader();
  const lines = createInterface({ input: createReadStream(log, { encoding: 'latin1' }) });
  for await (const line of lines) {
    for (const { at, thread, phase, call } of reader.read(line)) {
      if (at > atMs || !disk.has(call.file)) continue;
      if (phase === 'begin') disk.syncBegins(thread);
      else disk.apply(call, thread);
    }
  }
  disk.lose(survives);
}

interface Unsynced {
  readonly sequence: number;
  readonly offset: number;
  readonly bytes: Buffer;
}

class Disk {
  readonly #folder: string;
  readonly #target: string;
  /** Writes in the order in which they ended, by file. */
  readonly #unsynced = new Map<string, Unsynced[]>();
  /** The number of the last write when a sync began, by thread. */
  readonly #syncs = new Map<string, number>();
  #sequence = 0;

  constructor(folder: string, target: string) {
    this.#folder = folder;
    this.#target = target;
  }

  has(file: string): boolean {
    return file.startsWith(`${this.#folder}/`);
  }

  syncBegins(thread: string): void {
    this.#syncs.set(thread, this.#sequence);
  }

  apply(call: DiskCall, thread: string): void {
    const { file } = call;
    const waiting = this.#unsynced.get(file) ?? [];
    switch (call.kind) {
      case 'write':
        waiting.push({ sequence: ++this.#sequence, offset: call.offset, bytes: call.bytes });
        this.#unsynced.set(file, waiting);
        return;
      case 'sync': {
        const last = this.#syncs.get(thread) ?? 0;
        this.#store(
          file,
          waiting.filter(({ sequence }) => sequence <= last),
        );
        this.#unsynced.set(
          file,
          waiting.filter(({ sequence }) => sequence > last),
        );
        return;
      }
      case 'create':
        return this.#at(file, () => {});
      case 'extend':
        return this.#at(file, (target) => {
          if (statSync(this.#pathOf(file)).size < call.size) ftruncateSync(target, call.size);
        });
      case 'resize':
        this.#unsynced.set(
          file,
          waiting.flatMap((write) => cutOff(write, call.size)),
        );
        return this.#at(file, (target) => ftruncateSync(target, call.size));
      case 'rename':
        this.#unsynced.set(call.to, waiting);
        this.#unsynced.delete(file);
        return renameSync(this.#pathOf(file), this.#pathOf(call.to));
      case 'remove':
        this.#unsynced.delete(file);
        return rmSync(this.#pathOf(file), { force: true });
    }
  }

  /** The power is off: stores the writes that survive. */
  lose(survives: () => boolean): void {
    for (const [file, waiting] of this.#unsynced) this.#store(file, waiting.filter(survives));
  }

  #store(file: string, writes: readonly Unsynced[]): void {
    if (writes.length === 0) return;
    this.#at(file, (target) => {
      for (const { offset, bytes } of writes) writeSync(target, bytes, 0, bytes.length, offset);
    });
  }

  #at(file: string, work: (target: number) => void): void {
    const path = this.#pathOf(file);
    mkdirSync(dirname(path), { recursive: true });
    const target = openSync(path, statSync(path, { throwIfNoEntry: false }) === undefined ? 'w' : 'r+');
    try {
      work(target);
    } finally {
      closeSync(target);
    }
  }

  #pathOf(file: string): string {
    return join(this.#target, relative(this.#folder, file));
  }
}

function cutOff({ sequence, offset, bytes }: Unsynced, size: number): Unsynced[] {
  const length = Math.min(bytes.length, size - offset);
  return length > 0 ? [{ sequence, offset, bytes: bytes.subarray(0, length) }] : [];
}
