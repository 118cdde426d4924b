import { setTimeout as pause } from 'node:timers/promises';
import { runProgram } from './program.ts';

export interface AuditVerdict {
  readonly verdict: 'clean' | 'void' | 'none';
  readonly detail: string;
}

/** The fields used from the report of `npm run audit -- --json`. */
interface Report {
  readonly ok: boolean;
  readonly findings: readonly { readonly rule: string; readonly message: string }[];
  readonly packages: number;
  readonly orders: number;
  readonly reservations: number;
  readonly inMotion: readonly number[];
}

/** The audit skips packages that change while it runs, so it is repeated. */
const attemptsMax = 5;
const betweenAttemptsMs = 1_000;

/** Checks the stored data of one of our servers against the promises. */
export async function auditServer(settings: Readonly<Record<string, string>>): Promise<AuditVerdict> {
  for (let attempt = 1; ; attempt++) {
    const { code, stdout, stderr } = await runProgram('src/commands/audit.ts', ['--json'], settings);
    if (code > 1) return { verdict: 'void', detail: `the audit could not be done: ${stderr.trim()}` };
    const report = JSON.parse(stdout) as Report;
    const { findings, packages, orders, reservations, inMotion } = report;
    if (!report.ok) {
      const [first] = findings;
      return {
        verdict: 'void',
        detail: `${findings.length} findings, first ${first?.rule}: ${first?.message}`,
      };
    }
    if (inMotion.length === 0)
      return {
        verdict: 'clean',
        detail: `${packages} packages, ${orders} orders, ${reservations} reservations`,
      };
    if (attempt === attemptsMax)
      return { verdict: 'void', detail: `packages ${inMotion.slice(0, 5).join()} never came to rest` };
    await pause(betweenAttemptsMs);
  }
}

/** A baseline audits itself. */
export async function auditBaseline(origin: string): Promise<AuditVerdict> {
  const response = await fetch(`${origin}/audit`);
  if (!response.ok) return { verdict: 'void', detail: `its audit answers ${response.status}` };
  return (await response.json()) as AuditVerdict;
}
