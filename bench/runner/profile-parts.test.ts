import { expect, it } from 'vitest';
import { type CpuProfile, cut, partsOf } from './profile-parts.ts';

/** A profile in which each function is called by the one before it, and runs for as many ms as the number says. */
function chain(
  ...functions: readonly (readonly [functionName: string, url: string, ms: number])[]
): CpuProfile {
  return {
    nodes: functions.map(([functionName, url], at) => ({
      id: at + 1,
      callFrame: { functionName, url },
      children: at + 1 < functions.length ? [at + 2] : [],
    })),
    startTime: 0,
    endTime: functions.reduce((sum, [, , ms]) => sum + ms * 1_000, 0),
    samples: functions.map((_, at) => at + 1),
    timeDeltas: functions.map(([, , ms]) => ms * 1_000),
  };
}

it('sums up the time of folders, packages and the runtime in cores, without idle time', () => {
  const profile = chain(
    ['(root)', '', 0],
    ['(program)', '', 50],
    ['(idle)', '', 500],
    ['onRequest', 'node:_http_server', 100],
    ['dispatch', 'file:///app/node_modules/hono/dist/hono-base.js', 30],
    ['handle', 'file:///app/node_modules/@hono/node-server/dist/index.mjs', 20],
    ['purchase', 'file:///app/src/http/api/orders.ts', 150],
    ['refuse', 'file:///app/src/http/problems.ts', 50],
    ['reply', 'file:///app/bench/baselines/hello.ts', 60],
    ['(garbage collector)', '', 40],
  );
  expect(partsOf(profile)).toEqual({
    'native code': 0.05,
    'Node.js': 0.1,
    hono: 0.03,
    '@hono/node-server': 0.02,
    'src/http': 0.2,
    'bench/baselines': 0.06,
    'garbage collection': 0.04,
  });
});

it('counts native functions to their callers, except the database and writes to sockets', () => {
  const profile = chain(
    ['(root)', '', 0],
    ['parse', 'file:///app/src/http/request.ts', 100],
    ['charCodeAt', '', 200],
    ['commit', 'file:///app/src/storage/sqlite/group-commit.ts', 100],
    ['exec', '', 300],
    ['send', 'node:net', 100],
    ['writeUtf8String', '', 200],
  );
  expect(partsOf(profile)).toEqual({
    'src/http': 0.3,
    'src/storage': 0.1,
    SQLite: 0.3,
    'Node.js': 0.1,
    'writes to sockets': 0.2,
  });
});

it('tells nothing of an idle server', () => {
  expect(partsOf(chain(['(root)', '', 0], ['(idle)', '', 100]))).toEqual({});
});

it('cuts a window out of a profile', () => {
  const profile = chain(['(root)', '', 0], ['a', 'node:a', 100], ['b', 'node:b', 50], ['c', 'node:c', 200]);
  const window = cut(profile, 120_000, 300_000);
  expect(window).toMatchObject({ startTime: 120_000, endTime: 300_000, samples: [3], timeDeltas: [30_000] });
});
