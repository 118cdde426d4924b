import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { audit } from '../../src/audit/audit.ts';
import type { AuditReport } from '../../src/audit/audit-report.ts';
import { openLedger } from '../../src/audit/bounded-reads.ts';
import { openStore } from '../../src/compose/store.ts';
import { ledgerOf } from '../../src/compose/suppliers.ts';
import { readConfig } from '../../src/config/config.ts';
import { environmentOf } from './node-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface AuditRun {
  readonly exitCode: number;
  readonly report: {
    readonly ok: boolean;
    readonly orders: number;
    readonly findings: readonly { rule: string; message: string }[];
    readonly suppliersRead: boolean;
    /** The payments that are due or paid. Absent if payments are off, or the provider's ledger was not read. */
    readonly payments?: number;
  };
}

/** Runs `npm run audit -- --json` in a process of its own. Anything else may run at the same time. */
export async function runAudit(settings: Record<string, string>): Promise<AuditRun> {
  const env = environmentOf(settings);
  const args = ['src/commands/audit.ts', '--json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : Number(error.code);
      if (exitCode > 1 || stdout === '') return reject(new Error(`the audit did not run: ${stderr}`));
      resolve({ exitCode, report: JSON.parse(stdout) });
    });
  });
}

/** Audits in this process, for tests that audit often: starting the command takes longer than the audit. */
export async function auditHere(settings: Record<string, string>): Promise<AuditReport> {
  const config = readConfig(settings);
  const store = await openStore(config.database, { readOnly: true });
  const limits = { pageTimeoutMs: 30_000 };
  try {
    const suppliers = await openLedger(ledgerOf(config, store.ledger), limits);
    return await audit(store, { ...limits, suppliers });
  } finally {
    await store.close();
  }
}
