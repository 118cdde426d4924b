import { readFile, writeFile } from 'node:fs/promises';
import type { Find } from './bug-hunt.ts';

/** The results of the last hunt: the seed that found each bug. */
const findsFile = new URL('found-bugs.json', import.meta.url);
const docsFile = new URL('../../docs/verification.md', import.meta.url);
const [begin, end] = ['<!-- planted bugs -->\n', '<!-- end of planted bugs -->'];

export async function readFinds(): Promise<readonly Find[]> {
  return JSON.parse(await readFile(findsFile, 'utf8')) as Find[];
}

/** Writes the results of a hunt to the file and to docs/verification.md. */
export async function writeFinds(finds: readonly Find[]): Promise<void> {
  await writeFile(findsFile, `${JSON.stringify(finds, undefined, 2)}\n`);
  const text = await readFile(docsFile, 'utf8');
  const replaced = text.replace(`${begin}${tableIn(text)}`, () => `${begin}${findsTable(finds)}`);
  await writeFile(docsFile, replaced);
}

/** The table in docs/verification.md. */
export async function readTable(): Promise<string> {
  return tableIn(await readFile(docsFile, 'utf8'));
}

export function findsTable(finds: readonly Find[]): string {
  const rows = finds.map(
    ({ name, seed, violation }) => `| ${name} | ${seed ?? '–'} | ${violation ?? 'NOT FOUND'} |`,
  );
  return ['| planted bug | seed | what it breaks |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function tableIn(text: string): string {
  const [, after = ''] = text.split(begin);
  const [table] = after.split(end);
  if (table === undefined || after === table) throw new Error('the docs have no place for planted bugs');
  return table;
}
