import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';

/** What found a bug; without a seed nothing did. */
export interface Find {
  readonly name: string;
  readonly seed?: number;
  readonly violation?: string;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Plants each bug in a copy of the program, and looks for the first seed that finds it. */
export async function huntBugs(
  seedsMax: number,
  workers: number,
  tell: (line: string) => void,
): Promise<Find[]> {
  const finds: Find[] = [];
  for (const bug of plantedBugs) {
    const find = await hunt(bug, seedsMax, workers);
    tell(`${bug.name}: ${find.seed === undefined ? 'NOT FOUND' : `seed ${find.seed}, ${find.violation}`}`);
    finds.push(find);
  }
  return finds;
}

async function hunt(bug: PlantedBug, seedsMax: number, workers: number): Promise<Find> {
  const copy = await mkdtemp(join(tmpdir(), 'ticket-booking-bug-'));
  try {
    await cp(join(root, 'src'), join(copy, 'src'), { recursive: true });
    await cp(join(root, 'package.json'), join(copy, 'package.json'));
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const file = join(copy, 'src', bug.file);
    await writeFile(file, plant(await readFile(file, 'utf8'), bug));
    const words = ['--seeds', String(seedsMax), '--workers', String(workers), '--first', '--json'];
    const output = await stdoutOf(join(copy, 'src/cli/simulate.ts'), words);
    const { violations } = JSON.parse(output) as { violations: { seed: number; violation: string }[] };
    return { name: bug.name, ...violations[0] };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** @throws Error when the place is not there exactly once: the program has changed, and the bug must too. */
export function plant(text: string, { name, find, replace }: PlantedBug): string {
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`the bug “${name}” cannot be planted: its place is there ${times} times`);
  return text.replace(find, () => replace);
}

/** Whatever it exits with. */
function stdoutOf(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program, ...words],
      { maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) => {
        if (stdout === '') reject(error ?? new Error(stderr));
        else resolve(stdout);
      },
    );
  });
}
