/** A CPU profile as V8 writes it (`.cpuprofile`): a tree of functions, and which one ran at each sample. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** In µs of the clock that `process.hrtime()` reads. */
  readonly startTime: number;
  readonly endTime: number;
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** The time of each sample since the one before in µs; of the first one since the start. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** The part of a profile between two times, in µs. */
export function cut(profile: CpuProfile, from: number, to: number): CpuProfile {
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let at = profile.startTime;
  let before = from;
  profile.samples.forEach((sample, index) => {
    at += profile.timeDeltas[index] ?? 0;
    if (at < from || at > to) return;
    samples.push(sample);
    timeDeltas.push(at - before);
    before = at;
  });
  return { ...profile, startTime: from, endTime: to, samples, timeDeltas };
}

/** Functions of Node's native streams that write to a socket. */
const socketWrites = /^(?:writeUtf8String|writeLatin1String|writeAsciiString|writeBuffer|writev)$/;

/**
 * Sums up a profile by part of the program: a folder of `src`, a package, `Node.js`, `writes to sockets`, `SQLite`,
 * `garbage collection`, and `native code` for what V8 tells no function of. Idle time is left out.
 * @returns the cores that each part used: CPU seconds per second of the profile.
 */
export function partsOf({ nodes, samples, timeDeltas }: CpuProfile): Record<string, number> {
  const parts = partsOfNodes(nodes);
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const time = timeDeltas[index] ?? 0;
    total += time;
    const part = parts.get(id);
    if (part !== undefined && time > 0) times.set(part, (times.get(part) ?? 0) + time);
  });
  return Object.fromEntries([...times].map(([part, time]) => [part, time / total]));
}

/** The part of each node but the idle one. A native function belongs to its caller. */
function partsOfNodes(nodes: readonly ProfileNode[]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const visit = (node: ProfileNode, callers: string) => {
    const part = partOf(node.callFrame, callers);
    if (part !== undefined) parts.set(node.id, part);
    for (const id of node.children ?? []) visit(byId.get(id) as ProfileNode, part ?? callers);
  };
  const [root] = nodes;
  if (root !== undefined) visit(root, 'native code');
  return parts;
}

function partOf({ functionName, url }: ProfileNode['callFrame'], callers: string): string | undefined {
  if (functionName === '(idle)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (socketWrites.test(functionName) && url === '') return 'writes to sockets';
  const ownPackage = /\/node_modules\/(?<name>(?:@[^/]+\/)?[^/]+)\//.exec(url)?.groups?.name;
  if (ownPackage !== undefined) return ownPackage;
  if (url.startsWith('node:')) return 'Node.js';
  const folder = /\/(?<folder>src\/[^/]+|bench\/baselines)\//.exec(url)?.groups?.folder;
  if (folder !== undefined) return folder;
  if (functionName === '(root)' || functionName === '(program)') return 'native code';
  // The functions of node:sqlite are native, and only these folders call them for long.
  return callers === 'src/storage' || callers === 'bench/baselines' ? 'SQLite' : callers;
}
