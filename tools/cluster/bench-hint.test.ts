import { expect, it } from 'vitest';
import { readArguments } from '../../bench/arguments.ts';
import { benchHint } from './bench-hint.ts';

const origins = ['http://127.0.0.1:8881', 'http://127.0.0.1:8882'];

/** The arguments as a shell would split them. */
function argumentsIn(lines: readonly string[]): string[] {
  const line = lines.find((each) => each.includes('npm run bench -- '))?.split(' -- ')[1] ?? '';
  return line.replace('"$ADMIN_TOKEN"', 'a-token').split(' ');
}

it('names a command that fits this cluster, and that the limits are on', () => {
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

it('buys with the admin token, which it names', () => {
  const lines = benchHint({ origins, hasAdminToken: true });
  expect(lines.join('\n')).toContain('Rate limits are off.');
  expect(lines.join('\n')).toContain('--admin-token "$ADMIN_TOKEN"');
  expect(readArguments(argumentsIn(lines))).toMatchObject({ origins, isReadOnly: false, rate: 200 });
});
