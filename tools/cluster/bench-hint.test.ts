import { expect, it } from 'vitest';
import { readArguments } from '../../bench/arguments.ts';
import { benchHint } from './bench-hint.ts';

const origins = ['http://127.0.0.1:8881', 'http://127.0.0.1:8882'];

/** Splits the printed command as a shell would. */
function argumentsIn(lines: readonly string[]): string[] {
  const line = lines.find((each) => each.includes('npm run bench -- '))?.split(' -- ')[1] ?? '';
  return line.replace('"$ADMIN_TOKEN"', 'a-token').split(' ');
}

it("prints a command with the cluster's origins, and the rate limits", () => {
  const purchases = { count: 500, windowS: 10 };
  const lines = benchHint({ origins, purchases, hasAdminToken: false });
  expect(lines.join('\n')).toContain('Rate limits are on: 500 purchases per 10 s of one client.');
  expect(lines.join('\n')).toContain('RATE_LIMIT=off npm run cluster');
  expect(readArguments(argumentsIn(lines))).toMatchObject({
    kind: 'targets',
    origins,
    isReadOnly: true,
    rate: 40,
  });
});

it('buys with the admin token, without printing it', () => {
  const lines = benchHint({ origins, hasAdminToken: true });
  expect(lines.join('\n')).toContain('Rate limits are off.');
  expect(lines.join('\n')).toContain('--admin-token "$ADMIN_TOKEN"');
  expect(readArguments(argumentsIn(lines))).toMatchObject({ origins, isReadOnly: false, rate: 200 });
});
