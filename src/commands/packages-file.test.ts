import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPackagesFile, withNightInThePast } from './packages-file.ts';

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

  test('is read into packages with their sale windows in ms', async () => {
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
    ['a stray member', { packages: [{ ...good, openAt: 'x' }] }, ': packages[0] (package 7): '],
    [
      'an id of 0',
      { packages: [{ ...good, id: 0 }] },
      ': packages[0].id (package 0): expected a whole number from 1 to',
    ],
    ['an id as text', { packages: [good, { ...good, id: '8' }] }, ': packages[1].id: '],
    [
      'an id beyond exact numbers',
      { packages: [{ ...good, id: 2 ** 60 }] },
      ': packages[0].id (package 1152921504606847000): expected',
    ],
    [
      'an id twice',
      { packages: [good, good] },
      ': packages[1].id (package 7): 7 is there twice, first at packages[0]',
    ],
    [
      'a blank flight',
      { packages: [{ ...good, flight: '  ' }] },
      ': packages[0].flight (package 7): is empty',
    ],
    [
      'a day that is none',
      { packages: [{ ...good, stay: '2027-02-29' }] },
      ': packages[0].stay (package 7): expected a date like',
    ],
    [
      'cents',
      { packages: [{ ...good, price: 99.5 }] },
      ': packages[0].price (package 7): prices have no cents: 99.5 must be 99 or 100',
    ],
    [
      'a price below 0',
      { packages: [{ ...good, price: -1 }] },
      ': packages[0].price (package 7): expected a whole number from 0',
    ],
    [
      'a price as text',
      { packages: [{ ...good, price: '5' }] },
      ': packages[0].price (package 7): expected a whole number from 0',
    ],
    [
      'a quota below 0',
      { packages: [{ ...good, quota: -1 }] },
      ': packages[0].quota (package 7): expected a whole number from 0 to 10000000',
    ],
    [
      'a local time',
      { packages: [{ ...good, opensAt: '2026-11-27T18:00' }] },
      ': packages[0].opensAt (package 7): expected',
    ],
    [
      'a window that ends before it begins',
      { packages: [{ ...good, opensAt: '2026-11-27T18:00:00Z', closesAt: '2026-11-27T18:00:00Z' }] },
      ': packages[0].closesAt (package 7): must be after opensAt',
    ],
  ])('with %s is refused, and the error names the position of the mistake', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
    await expect(read(content)).rejects.toThrow(file);
  });

  test('is refused with a list of all mistakes, each with its position in the file', async () => {
    const window = { opensAt: '2026-11-27T18:00:00Z', closesAt: '2026-11-26T18:00:00Z' };
    const content = {
      pakages: [],
      packages: [
        { ...good, price: 99.5, quota: -1 },
        { ...good, flight: '', ...window },
        { id: 'x', stay: 'soon', price: 1 },
        'none',
        good,
      ],
    };
    const error = await read(content).catch((thrown: Error) => thrown);
    expect((error as Error).message.replaceAll(`${file}: `, '').split('\n')).toEqual([
      'Unrecognized key: "pakages"',
      'packages[0].price (package 7): prices have no cents: 99.5 must be 99 or 100',
      'packages[0].quota (package 7): expected a whole number from 0 to 10000000',
      'packages[1].flight (package 7): is empty',
      'packages[1].id (package 7): 7 is there twice, first at packages[0]',
      'packages[1].closesAt (package 7): must be after opensAt',
      'packages[2].id: expected a whole number from 1 to 999999999999999',
      'packages[2].flight: expected a text',
      'packages[2].stay: expected a date like 2022-08-09',
      'packages[2].quota: expected a whole number from 0 to 10000000',
      expect.stringMatching(/^packages\[3\]: .*expected object/),
      'packages[4].id (package 7): 7 is there twice, first at packages[0]',
    ]);
  });

  test('causes a warning if a night is before today in UTC', async () => {
    const nights = ['2026-11-28', '2026-11-29', '2026-11-30'].map((stay, index) => ({
      ...good,
      id: index + 1,
      stay,
    }));
    const packages = await read({ packages: nights });
    const ids = (now: string) => withNightInThePast(packages, Date.parse(now)).map(({ id }) => id);
    expect(ids('2026-11-29T23:59:59Z')).toEqual([1]);
    expect(ids('2026-11-30T00:00:00Z')).toEqual([1, 2]);
  });

  test('is refused if it does not exist', async () => {
    await expect(readPackagesFile(`${file}.none`)).rejects.toThrow(`cannot read ${file}.none`);
  });
});
