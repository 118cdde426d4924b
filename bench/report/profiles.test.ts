import { expect, it } from 'vitest';
import type { ScenarioResult } from '../results.ts';
import { runOf } from './fixture.ts';
import { profileMarkdown, profileSection } from './profiles.ts';

function scenario(...contestants: ScenarioResult['contestants']): ScenarioResult {
  return { name: 'sold-out', title: 'Sold-out storm', what: '', contestants, notes: [] };
}

const ours = {
  name: 'actor-mongodb',
  title: 'ticket-booking on MongoDB',
  isOurs: true,
  runs: [
    runOf({
      parameters: { callers: 64 },
      // 80 of the 100 µs are the server's.
      figures: { costPerPurchaseUs: 100 },
      cpu: { client: 1, server: 0.8, databases: 0.2 },
      profile: { 'src/http': 0.2, 'Node.js': 0.4, zod: 0.01, ws: 0.01, hono: 0.18 },
    }),
  ],
};
const hello = {
  name: 'hello',
  title: 'hello world',
  isOurs: false,
  runs: [
    runOf({
      figures: { costPerPurchaseUs: 25 },
      cpu: { client: 1, server: 0.9, databases: 0 },
      profile: { 'Node.js': 0.6, hono: 0.3 },
    }),
  ],
};

it('tells the CPU time of a purchase by part, from the largest to the smallest, without the databases', () => {
  expect(profileMarkdown(scenario(ours, hello))).toBe(
    [
      '| sold-out | actor-mongodb, callers 64 | hello |',
      '| --- | ---: | ---: |',
      '| the servers | 80 µs | 25 µs |',
      '| Node.js | 40 µs | 16.7 µs |',
      '| hono | 18.0 µs | 8.33 µs |',
      '| src/http | 20 µs | 0 µs |',
      '| all others | 2 µs | 0 µs |',
      '',
    ].join('\n'),
  );
});

it('tells shares of a core where no purchases are counted', () => {
  const live = {
    ...hello,
    runs: [runOf({ cpu: { client: 1, server: 0.5 }, profile: { ws: 0.1, 'Node.js': 0.3 } })],
  };
  expect(profileMarkdown(scenario(live))).toContain('| Node.js | 37.5 % |\n| ws | 12.5 % |');
});

it('shows nothing of runs without profiles', async () => {
  const plain = { ...ours, runs: [runOf()] };
  expect(profileMarkdown(scenario(plain))).toBe('');
  expect(profileSection(scenario(plain))).toBe('');
  expect(String(await profileSection(scenario(plain, hello)))).not.toContain('actor-mongodb');
});
