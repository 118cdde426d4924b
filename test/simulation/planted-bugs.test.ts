import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyProgram, type Find, type ProgramCopy, plant } from './bug-hunt.ts';
import { findsTable, readFinds, readTable } from './found-bugs.ts';
import { plantedBugs } from './planted-bugs.ts';
import { simulate } from './simulation.ts';

/** The advice to show when a change of the product or of the simulation has shifted the seeds. */
const refresh = 'look again: npm run simulate -- --bugs --write';

describe('planted bugs', () => {
  let copy: ProgramCopy;
  let finds: readonly Find[];

  beforeAll(async () => {
    finds = await readFinds();
    copy = await copyProgram();
  });
  afterAll(() => copy.remove());

  test.each(plantedBugs)('can be planted: $name', async ({ edits, name }) => {
    for (const edit of edits) {
      const text = await readFile(new URL(`../../${edit.file}`, import.meta.url), 'utf8');
      expect(plant(text, edit, name)).not.toBe(text);
    }
  });

  test.each(plantedBugs)(
    'is found by its seed, while the seed finds nothing without the bug: $name',
    async (bug) => {
      const { seed = 0 } = finds.find(({ name }) => name === bug.name) ?? {};
      expect(seed, refresh).toBeGreaterThan(0);
      const sound = await simulate(seed, undefined, { notices: bug.ofNotices ?? false });
      expect(sound.violation, refresh).toBeUndefined();
      const { violation } = await copy.hunt(bug, { from: seed, seeds: 1, workers: 1 });
      expect(violation, refresh).toBeDefined();
    },
  );

  test('docs/verification.md has the results of the last hunt', async () => {
    expect(await readTable(), refresh).toBe(findsTable(finds));
    expect(finds.map(({ name }) => name)).toEqual(plantedBugs.map(({ name }) => name));
  });
});
