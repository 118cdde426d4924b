import { aptInstall, firstFound, onPath } from '../support/servers/find.ts';

/** A system call that changes a file, or that waits until a file is on the disk. */
export type DiskCall =
  | { readonly kind: 'write'; readonly file: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'create'; readonly file: string }
  | { readonly kind: 'resize'; readonly file: string; readonly size: number }
  | { readonly kind: 'extend'; readonly file: string; readonly size: number }
  | { readonly kind: 'rename'; readonly file: string; readonly to: string }
  | { readonly kind: 'remove'; readonly file: string }
  | { readonly kind: 'sync'; readonly file: string };

/** The system calls to trace. A call that is missing here would count as a loss, and would fail the test. */
const traced = [
  ...['openat', 'open', 'creat', 'write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'lseek'],
  ...[
    'fsync',
    'fdatasync',
    'ftruncate',
    'fallocate',
    'rename',
    'renameat',
    'renameat2',
    'unlink',
    'unlinkat',
  ],
];

/** The command that runs a program as its own process, and writes its system calls with their data to a file. */
export async function straceInto(log: string): Promise<string[]> {
  const strace = await firstFound('strace', 'Install strace.', [
    async () => {
      const path = await onPath('strace');
      return path === undefined ? { why: 'no strace is on PATH' } : { path };
    },
    async () => {
      const why = await aptInstall('strace');
      return why === undefined ? { path: '/usr/bin/strace' } : { why };
    },
  ]);
  const format = ['-ttt', '-T', '-y', '-xx', '-s', '100000000'];
  return [strace, '-D', '-f', '--seccomp-bpf', ...format, '-e', `trace=${traced.join()}`, '-o', log];
}

/** The beginning or the end of a call, in the order in which they happened. */
export interface TraceEvent {
  /** Unix time in ms. */
  readonly at: number;
  /** The thread, which is in one call at a time. */
  readonly thread: string;
  readonly phase: 'begin' | 'end';
  readonly call: DiskCall;
}

/** Reads the lines of strace. Knows the position of each open file, for calls that write at the position. */
export class TraceReader {
  readonly #positions = new Map<string, number>();
  /** Calls that have begun, by thread. */
  readonly #begun = new Map<
    string,
    { readonly name: string; readonly words: string; readonly call: DiskCall | undefined }
  >();

  /** The events of a line: none, one, or the beginning and the end of a call that no other call interrupted. */
  read(line: string): readonly TraceEvent[] {
    const head = /^(?<thread>\d+) +(?<seconds>\d+\.\d+) (?<rest>[\w<])/.exec(line)?.groups;
    if (head === undefined) return [];
    const { thread, seconds } = head as { thread: string; seconds: string };
    const at = Number(seconds) * 1_000;
    const rest = line.slice(line.indexOf(seconds) + seconds.length + 1);
    if (rest.startsWith('<... ')) {
      const begun = this.#begun.get(thread);
      this.#begun.delete(thread);
      if (begun === undefined) return [];
      const words = begun.words + rest.slice(rest.indexOf('resumed>') + 'resumed>'.length);
      const call = this.#ended(begun.name, words) ?? begun.call;
      return call === undefined || isFailed(words) ? [] : [{ at, thread, phase: 'end', call }];
    }
    const paren = rest.indexOf('(');
    if (paren < 0) return [];
    const [name, words] = [rest.slice(0, paren), rest.slice(paren + 1)];
    if (words.endsWith(' <unfinished ...>')) {
      const shown = words.slice(0, -' <unfinished ...>'.length);
      const call = syncOf(name, shown);
      this.#begun.set(thread, { name, words: shown, call });
      return call === undefined ? [] : [{ at, thread, phase: 'begin', call }];
    }
    const call = syncOf(name, words) ?? this.#ended(name, words);
    if (call === undefined || isFailed(words)) return [];
    const tookMs = Number(/<(?<took>[\d.]+)>$/.exec(words.slice(-20))?.groups?.took ?? 0) * 1_000;
    const end = { at: at + tookMs, thread, phase: 'end', call } as const;
    return call.kind === 'sync' ? [{ at, thread, phase: 'begin', call }, end] : [end];
  }

  /** The call that has ended; undefined if it changes no file. */
  #ended(name: string, words: string): DiskCall | undefined {
    const result = resultOf(words);
    switch (name) {
      case 'open':
      case 'openat':
      case 'creat':
        return this.#opened(name, words);
      case 'lseek':
        if (!Number.isNaN(result)) this.#positions.set(descriptorOf(words), result);
        return undefined;
      case 'write':
      case 'writev': {
        const offset = this.#positions.get(descriptorOf(words));
        if (offset === undefined || !(result > 0)) return undefined;
        this.#positions.set(descriptorOf(words), offset + result);
        return { kind: 'write', file: fileOf(words), offset, bytes: dataOf(words).subarray(0, result) };
      }
      case 'pwrite64':
      case 'pwritev':
      case 'pwritev2': {
        if (!(result > 0)) return undefined;
        const end = name === 'pwritev2' ? /, (?<offset>\d+), [\w|]+\) += / : /, (?<offset>\d+)\) += /;
        const offset = Number(end.exec(words.slice(-160))?.groups?.offset);
        return { kind: 'write', file: fileOf(words), offset, bytes: dataOf(words).subarray(0, result) };
      }
      case 'ftruncate':
        return { kind: 'resize', file: fileOf(words), size: lastNumber(words) };
      case 'fallocate': {
        const [, mode, offset, length] = /, (\w+), (\d+), (\d+)\) += /.exec(words) ?? [];
        if (mode !== '0') return undefined;
        return { kind: 'extend', file: fileOf(words), size: Number(offset) + Number(length) };
      }
      case 'rename':
      case 'renameat':
      case 'renameat2': {
        const [file, to] = textsOf(words);
        return { kind: 'rename', file: String(file), to: String(to) };
      }
      case 'unlink':
      case 'unlinkat':
        return { kind: 'remove', file: String(textsOf(words)[0]) };
      default:
        return syncOf(name, words);
    }
  }

  #opened(name: string, words: string): DiskCall | undefined {
    const [, descriptor, path] = /= (\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(words) ?? [];
    if (descriptor === undefined || path === undefined) return undefined;
    const file = decoded(path).toString();
    this.#positions.set(descriptor, 0);
    if (name === 'creat' || words.includes('O_TRUNC')) return { kind: 'resize', file, size: 0 };
    return words.includes('O_CREAT') ? { kind: 'create', file } : undefined;
  }
}

function syncOf(name: string, words: string): DiskCall | undefined {
  return name === 'fsync' || name === 'fdatasync' ? { kind: 'sync', file: fileOf(words) } : undefined;
}

function isFailed(words: string): boolean {
  return / = (-1 |\?)/.test(words.slice(-160));
}

function resultOf(words: string): number {
  return Number(/ = (?<result>\d+)[^=]*$/.exec(words.slice(-160))?.groups?.result);
}

function lastNumber(words: string): number {
  return Number(/, (?<size>\d+)\) += /.exec(words)?.groups?.size);
}

function descriptorOf(words: string): string {
  return words.slice(0, words.indexOf('<'));
}

/** The file of the descriptor that begins the words: `17<\x2f\x74…>, …`. */
function fileOf(words: string): string {
  return decoded(words.slice(words.indexOf('<') + 1, words.indexOf('>'))).toString();
}

/** All data of a call, in one piece. */
function dataOf(words: string): Buffer {
  return Buffer.concat(quoted(words));
}

function textsOf(words: string): string[] {
  return quoted(words).map(String);
}

/** The texts between quotes. */
function quoted(words: string): Buffer[] {
  return words.split('"').flatMap((part, index) => (index % 2 === 1 ? [decoded(part)] : []));
}

/** Decodes `\x2f\x74`. */
function decoded(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
