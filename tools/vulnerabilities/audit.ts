import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the registry's advisories say about a lockfile, or why they say nothing. */
export type Audit =
  | {
      readonly kind: 'done';
      /** A line for each package with a high or critical advisory. */
      readonly severe: readonly string[];
      /** How many packages have advisories, severe or not. */
      readonly affected: number;
      /** How many packages were looked up. */
      readonly packages: number;
    }
  | { readonly kind: 'leftOut'; readonly reason: string };

/** What `npm audit --json` prints: a report, or the failed request. */
interface NpmAudit {
  readonly vulnerabilities?: Readonly<Record<string, NpmVulnerability>>;
  readonly metadata?: { readonly dependencies?: { readonly total?: number } };
  readonly statusCode?: number;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

interface NpmVulnerability {
  readonly name: string;
  readonly severity: string;
  /** Advisories, or the names of dependencies that have them. */
  readonly via: readonly (
    | string
    | { readonly title?: string; readonly range?: string; readonly url?: string }
  )[];
}

/** A release with a critical advisory since 2020. A registry that knows nothing of it has no advisories. */
const canary = { name: 'minimist', version: '0.0.8' };

/**
 * Looks the packages of a lockfile up in the advisories of npm's registry. Some registries answer like one without any
 * finding, although they have no advisories, so a package that is known to be vulnerable is looked up first.
 * @param folder the folder of `package-lock.json`
 * @throws Error when npm cannot be started.
 */
export async function auditLockfile(folder: string): Promise<Audit> {
  const known = await auditCanary();
  if (known.kind === 'leftOut') return known;
  if (known.affected === 0) {
    return {
      kind: 'leftOut',
      reason: `the registry has no advisories, not even for ${canary.name} ${canary.version}`,
    };
  }
  return readAudit(await npmAudit(folder));
}

async function auditCanary(): Promise<Audit> {
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-canary-'));
  const { name, version } = canary;
  const root = { name: 'canary', version: '1.0.0', dependencies: { [name]: version } };
  const packages = { '': root, [`node_modules/${name}`]: { version } };
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify(root));
    await writeFile(
      join(folder, 'package-lock.json'),
      JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
    );
    return readAudit(await npmAudit(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs `npm audit`, which exits 1 for findings and for failures alike. Returns what it prints. */
function npmAudit(folder: string): Promise<string> {
  const parameters = ['audit', '--json', '--package-lock-only', '--fetch-retries=1', '--fetch-timeout=30000'];
  return new Promise((resolve, reject) => {
    execFile('npm', parameters, { cwd: folder, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error === null || stdout.trim() !== '') resolve(stdout);
      else reject(new Error(`npm audit failed: ${stderr.trim() || error.message}`));
    });
  });
}

/** Reads what `npm audit --json` has printed. */
export function readAudit(json: string): Audit {
  const { vulnerabilities, metadata, statusCode, message, error } = JSON.parse(json) as NpmAudit;
  if (vulnerabilities === undefined) {
    const why = statusCode === undefined ? (message ?? error?.summary) : `it answers ${statusCode}`;
    return { kind: 'leftOut', reason: `the registry gives no advisories: ${why ?? 'for no stated reason'}` };
  }
  const found = Object.values(vulnerabilities);
  return {
    kind: 'done',
    severe: found.filter(({ severity }) => severity === 'high' || severity === 'critical').map(lineOf),
    affected: found.length,
    packages: metadata?.dependencies?.total ?? 0,
  };
}

function lineOf({ severity, name, via }: NpmVulnerability): string {
  const causes = via.map((cause) => {
    if (typeof cause === 'string') return `through ${cause}`;
    return [cause.title, cause.range, cause.url].filter((text) => text !== undefined).join(', ');
  });
  return `${severity}: ${name}: ${causes.join('; ')}`;
}
