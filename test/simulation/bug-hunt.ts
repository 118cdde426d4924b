import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Edit, PlantedBug } from './planted-bug.ts';

/** The seed that found a bug, and the violation. Without a seed the bug was not found. */
export interface Find {
  readonly name: string;
  readonly seed?: number;
  readonly violation?: string;
}

/** The range of seeds to search, and the number of threads. */
export interface Hunt {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
}

/** A copy of the program to plant bugs in. */
export interface ProgramCopy {
  /** Plants a bug, searches for a seed that finds the bug, and restores the copy. */
  hunt(bug: PlantedBug, hunt: Hunt): Promise<Find>;
  remove(): Promise<void>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

export async function copyProgram(): Promise<ProgramCopy> {
  const copy = await mkdtemp(join(tmpdir(), 'ticket-booking-bug-'));
  for (const folder of ['src', 'test']) await cp(join(root, folder), join(copy, folder), { recursive: true });
  await cp(join(root, 'package.json'), join(copy, 'package.json'));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return {
    async hunt(bug, hunt) {
      const takeOut = await plantIn(copy, bug);
      try {
        return { name: bug.name, ...(await firstViolation(copy, hunt, bug)) };
      } finally {
        await takeOut();
      }
    },
    remove: () => rm(copy, { recursive: true, force: true }),
  };
}

/**
 * Plants an edit in a text.
 * @throws Error unless `find` occurs exactly once. If the program has changed, the planted bug must change too.
 */
export function plant(text: string, { find, replace, file }: Edit, name: string): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`“${name}” cannot be planted: its place is ${times} times in ${file}`);
  return text.replace(find, () => replace);
}

/** Plants a bug in a copy. Returns a function that restores the files. */
async function plantIn(copy: string, { name, edits }: PlantedBug): Promise<() => Promise<void>> {
  const before = new Map<string, string>();
  for (const edit of edits) {
    const file = join(copy, edit.file);
    const text = await readFile(file, 'utf8');
    if (!before.has(file)) before.set(file, text);
    await writeFile(file, plant(text, edit, name));
  }
  return async () => {
    for (const [file, text] of before) await writeFile(file, text);
  };
}

async function firstViolation(
  copy: string,
  { from, seeds, workers }: Hunt,
  { ofNotices }: PlantedBug,
): Promise<Omit<Find, 'name'>> {
  const range = ['--from', String(from), '--seeds', String(seeds), '--workers', String(workers)];
  const words = [...range, '--first', '--json', ...(ofNotices ? ['--notices'] : [])];
  const output = await stdoutOf(join(copy, 'test/simulation/command.ts'), words);
  const { violations } = JSON.parse(output) as { violations: { seed: number; violation: string }[] };
  return violations[0] ?? {};
}

/** Runs a program. Returns its output, whatever the exit code. */
function stdoutOf(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 ** 2 };
    execFile(process.execPath, [program, ...words], options, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }));
      else resolve(stdout);
    });
  });
}
