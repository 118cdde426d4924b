import { Hono } from 'hono';
import type { AuditReport } from '../../audit/audit-report.ts';
import { jsonHeaders, sendJson } from '../../http/json.ts';
import { allowOnly } from '../../http/methods.ts';
import type { Clock } from '../../lib/clock.ts';
import { type AdminApiDeps, type AdminApiEnv, adminApi, done, readQuery } from './context.ts';
import { auditQuery } from './requests.ts';

/** From here on an answer is begun, so that nobody between us and the caller takes it for dead. */
const quietMaxMs = 5_000;

/**
 * `GET /api/admin/audit`: everything stored, held against the promises. The report is that of `npm run audit -- --json`.
 * A long one begins with blanks, which JSON allows; one that cannot be ended is cut off.
 */
export function auditRoutes(deps: AdminApiDeps): Hono<AdminApiEnv> {
  const { service, clock } = deps;
  return new Hono<AdminApiEnv>()
    .use(adminApi(deps))
    .get('/', async (c) => {
      const wish = readQuery(c, auditQuery);
      const report = service.audit(wish).then(done);
      const isOver = await within(quietMaxMs, clock, report);
      if (isOver) return sendJson(200, await report);
      return new Response(slowly(report, clock), { status: 200, headers: jsonHeaders({}) });
    })
    .all('/', allowOnly('GET'));
}

/** Whether it has ended in time. */
async function within(ms: number, clock: Clock, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const first = await Promise.race([ended, clock.sleep(ms, over.signal).then(() => false)]);
  over.abort();
  return first;
}

function slowly(report: Promise<AuditReport>, clock: Clock): ReadableStream<Uint8Array> {
  const text = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const isOver = await within(quietMaxMs, clock, report);
      if (!isOver) return controller.enqueue(text.encode(' '));
      controller.enqueue(text.encode(JSON.stringify(await report)));
      controller.close();
    },
  });
}
