import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPackagesFile } from './packages-file.ts';

const good = { id: 7, flight: ' Flight-7 ', stay: '2028-02-29', price: 0, quota: 3 };

describe('packages file', () => {
  let file: string;
  beforeAll(async () => {
    file = join(await mkdtemp(join(tmpdir(), 'packages-')), 'packages.json');
  });
  afterAll(() => rm(join(file, '..'), { recursive: true }));

  async function read(content: unknown) {
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return readPackagesFile(file);
  }

  test('gives packages with their sale window in ms', async () => {
    const window = { opensAt: '2026-11-27T18:00:00+01:00', closesAt: '2026-11-27T17:00:00.001Z' };
    expect(await read({ packages: [good, { ...good, id: 8, ...window }] })).toStrictEqual([
      { ...good, flight: 'Flight-7', version: 1 },
      {
        ...good,
        flight: 'Flight-7',
        id: 8,
        version: 1,
        opensAt: Date.UTC(2026, 10, 27, 17),
        closesAt: Date.UTC(2026, 10, 27, 17) + 1,
      },
    ]);
  });

  test('may begin with a byte order mark', async () => {
    expect(await read(`\ufeff${JSON.stringify({ packages: [good] })}`)).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{packages', 'is not JSON'],
    ['no packages', {}, ': packages: '],
    ['an empty list', { packages: [] }, ': packages: '],
    ['a list without its object', [good], ': '],
    ['a stray member', { packages: [{ ...good, openAt: 'x' }] }, ': packages[0]: '],
    ['an id of 0', { packages: [{ ...good, id: 0 }] }, ': packages[0].id: '],
    ['an id as text', { packages: [good, { ...good, id: '8' }] }, ': packages[1].id: '],
    ['an id beyond exact numbers', { packages: [{ ...good, id: 2 ** 60 }] }, ': packages[0].id: '],
    ['an id twice', { packages: [good, good] }, ': packages[1].id: 7 is there twice'],
    ['a blank flight', { packages: [{ ...good, flight: '  ' }] }, ': packages[0].flight: '],
    ['a day that is none', { packages: [{ ...good, stay: '2027-02-29' }] }, ': packages[0].stay: expected'],
    ['a broken price', { packages: [{ ...good, price: 1.5 }] }, ': packages[0].price: '],
    ['a quota below 0', { packages: [{ ...good, quota: -1 }] }, ': packages[0].quota: '],
    [
      'a local time',
      { packages: [{ ...good, opensAt: '2026-11-27T18:00' }] },
      ': packages[0].opensAt: expected',
    ],
    [
      'a window that ends before it begins',
      { packages: [{ ...good, opensAt: '2026-11-27T18:00:00Z', closesAt: '2026-11-27T18:00:00Z' }] },
      ': packages[0].closesAt: must be after opensAt',
    ],
  ])('with %s is refused, naming the place', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
    await expect(read(content)).rejects.toThrow(file);
  });

  test('that is not there is refused', async () => {
    await expect(readPackagesFile(`${file}.none`)).rejects.toThrow(`cannot read ${file}.none`);
  });
});
