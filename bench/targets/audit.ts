import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../results.ts';
import { answerInWords, jsonOf, requestAdmin, type Target } from './target.ts';

type AuditVerdict = Run['audit'];

/** An audit of millions of orders takes minutes. */
const auditMs = 10 * 60_000;
/** Attempts while another audit is running or packages change. */
const attemptsMax = 5;
const betweenAttemptsMs = 1_000;

/**
 * Runs the deployment's own audit. The verdict is `void` if it has findings, and `none` with a reason if it could not
 * run. Never throws.
 */
export async function auditDeployment(target: Target, signal: AbortSignal): Promise<AuditVerdict> {
  if (target.adminToken === undefined)
    return none('no admin token was given: run `npm run audit` beside the deployment');
  try {
    for (let attempt = 1; ; attempt++) {
      const asked = { timeoutMs: auditMs, signal };
      const response = await requestAdmin(target, '/api/admin/audit', asked);
      const verdict = response.ok
        ? verdictOf(await jsonOf(response))
        : none(`GET /api/admin/audit answers ${await answerInWords(response)}`);
      const isWorthAnother = response.status === 409 || (response.ok && verdict.verdict === 'none');
      if (!isWorthAnother || attempt === attemptsMax) return verdict;
      await pause(betweenAttemptsMs, undefined, { signal });
    }
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error));
  }
}

/** The fields used from the report of `npm run audit -- --json`. */
function verdictOf({
  ok,
  findings,
  packages,
  orders,
  reservations,
  inMotion,
}: Record<string, unknown>): AuditVerdict {
  if (typeof ok !== 'boolean' || !Array.isArray(findings)) return none('its answer is no report of an audit');
  if (!ok) {
    const [first] = findings as { rule?: unknown; message?: unknown }[];
    return {
      verdict: 'void',
      detail: `${findings.length} findings, first ${String(first?.rule)}: ${String(first?.message)}`,
    };
  }
  if (Array.isArray(inMotion) && inMotion.length > 0)
    return none(`packages ${inMotion.slice(0, 5).join(', ')} changed whenever they were read`);
  const [all, kept, booked] = [packages, orders, reservations].map((count) =>
    Number(count).toLocaleString('en'),
  );
  return { verdict: 'clean', detail: `${all} packages, ${kept} orders, ${booked} reservations` };
}

function none(detail: string): AuditVerdict {
  return { verdict: 'none', detail };
}
