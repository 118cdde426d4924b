import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../../src/config/config.ts';
import { documentAt, root, tableRows } from './markdown.ts';

/* Every row of the threat model names the tests that prove its defence. These files must exist. */

const threatModel = documentAt('docs/threat-model.md');
const text = `${documentAt('SECURITY.md').text}\n${threatModel.text}`;
const rows = tableRows(threatModel, '| threat | defence | proved by | ASVS | remaining risk |');
const filesIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path as string);

describe('the threat model and SECURITY.md', () => {
  it('has five cells in each row of threats', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const row of rows) expect(row, row.join(' | ')).toHaveLength(5);
  });

  it.each(rows)('%s: names tests that exist', (...[, , proofs]) => {
    const files = filesIn(proofs);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(file).toMatch(/^(src|test)\/[\w/.-]+\.test\.ts$/);
      expect(existsSync(join(root, file)), file).toBe(true);
      expect(readFileSync(join(root, file), 'utf8'), file).toMatch(/\b(it|test)(\.each)?[(`]/);
    }
  });

  it('covers the ASVS requirements for a sale on the internet', () => {
    const met = new Set(rows.flatMap(([, , , ids = '']) => ids.match(/\d+\.\d+\.\d+/g) ?? []));
    const asked = ['2.3.3', '2.3.4', '2.4.1', '3.3.3', '3.4.1', '3.4.3', '4.4.1', '4.4.2', '4.4.3', '4.4.4'];
    expect(asked.filter((id) => !met.has(id))).toEqual([]);
  });

  it('names only settings that exist', () => {
    const settings: readonly string[] = settingNames;
    const named = [...text.matchAll(/`([A-Z]+_?[A-Z_]+)(?:=[^`]*)?`/g)].map(([, name]) => name as string);
    expect(named.length).toBeGreaterThan(10);
    expect([...new Set(named)].filter((name) => !settings.includes(name))).toEqual([]);
  });
});
