import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { auditDeployment } from './audit.ts';

const clean = { ok: true, packages: 3, orders: 1234, reservations: 5, inMotion: [], findings: [] };
const broken = { ...clean, ok: false, findings: [{ rule: 'Q3', message: 'one unit too many' }] };

/** Runs the audit against a server that gives these answers in turn, the last one repeatedly. */
async function audited(...answers: readonly (readonly [status: number, body: string])[]) {
  let count = 0;
  const server = createServer((request, response) => {
    const [status, body] = answers[Math.min(count++, answers.length - 1)] as (typeof answers)[number];
    if (request.headers.authorization === 'Bearer token' && request.url === '/api/admin/audit')
      response.writeHead(status).end(body);
    else response.writeHead(401).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origins = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  try {
    return await auditDeployment({ origins, headers: [], adminToken: 'token' }, new AbortController().signal);
  } finally {
    server.close().closeAllConnections();
  }
}

it('returns `clean` or the findings', async () => {
  // The server sends blanks first while a long audit runs.
  expect(await audited([200, `   ${JSON.stringify(clean)}`])).toEqual({
    verdict: 'clean',
    detail: '3 packages, 1,234 orders, 5 reservations',
  });
  expect(await audited([200, JSON.stringify(broken)])).toEqual({
    verdict: 'void',
    detail: '1 findings, first Q3: one unit too many',
  });
});

it('repeats the audit while another one runs, or while packages change', async () => {
  const moving = JSON.stringify({ ...clean, inMotion: [7] });
  const verdict = await audited(
    [409, '{"code":"audit_running"}'],
    [200, moving],
    [200, JSON.stringify(clean)],
  );
  expect(verdict.verdict).toBe('clean');
});

it.each([
  [503, '{"code":"ledger_unavailable"}', '503 ledger_unavailable'],
  [404, '{}', 'answers 404'],
  [200, 'hello', 'no report of an audit'],
])('explains why there is no audit: %i %s', async (status, body, why) => {
  const { verdict, detail } = await audited([status, body]);
  expect(verdict).toBe('none');
  expect(detail).toContain(why);
});

it('needs a token and an instance that answers', async () => {
  const { signal } = new AbortController();
  const gone = { origins: ['http://127.0.0.1:1'], headers: [] };
  expect(await auditDeployment(gone, signal)).toMatchObject({
    verdict: 'none',
    detail: expect.stringContaining('no admin token'),
  });
  expect(await auditDeployment({ ...gone, adminToken: 'x' }, signal)).toMatchObject({
    detail: expect.stringContaining('does not answer'),
  });
});
