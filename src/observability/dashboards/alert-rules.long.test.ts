import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { findPromtool } from '../../../test/support/servers/promtool.ts';

/* The rules as Prometheus reads and evaluates them. dashboards.test.ts says which alerts lack a case. */

const folder = import.meta.dirname;
let program: string;
beforeAll(async () => {
  program = await findPromtool();
  // It may have to be installed first.
}, 600_000);

/** Runs promtool and returns its output. @throws Error with its output when the exit code is not 0. */
async function promtool(...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, parameters, { cwd: folder });
  return stdout;
}

test('promtool reads every rule', async () => {
  const rules = readFileSync(join(folder, 'alerts.yml'), 'utf8').match(/^ {6}- (?:alert|record): /gm) ?? [];
  expect(await promtool('check', 'rules', 'alerts.yml')).toContain(`SUCCESS: ${rules.length} rules found`);
});

test.each(['alerts.test.yml', 'objectives.test.yml'])(
  'the alerts fire and are silent as expected: %s',
  async (file) => {
    expect(await promtool('test', 'rules', file)).toContain('SUCCESS');
  },
  // It evaluates days, one evaluation each two minutes.
  600_000,
);
