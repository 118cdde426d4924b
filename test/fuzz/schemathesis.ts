import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defined } from '../../src/lib/defined.ts';
import { findSchemathesis } from './find-schemathesis.ts';
import { fuzzedInstance, fuzzTokens } from './fuzzed-server.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

export interface ApiFuzz {
  readonly origin: string;
  readonly seed: number;
  /** The most requests per operation and phase; simple operations have fewer variants. */
  readonly examples: number;
  /** Aborting ends the run and discards its findings. */
  readonly stop?: AbortSignal;
}

export interface ApiFuzzReport {
  /** Requests that were sent and checked. */
  readonly cases: number;
  /** Each failure once, with a command to repeat it. */
  readonly failures: readonly string[];
  readonly operations: { readonly selected: number; readonly tested: number };
}

/**
 * Sends requests generated from an API's description: valid, invalid, and in sequences along its links. Checks every
 * answer against the description, with all checks of schemathesis.
 * @throws Error when it could not run to its end.
 */
export async function fuzzApi({ origin, seed, examples, stop }: ApiFuzz): Promise<ApiFuzzReport> {
  const packages = await findSchemathesis();
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-schemathesis-'));
  const report = join(folder, 'report.json');
  const program = 'from schemathesis.cli import schemathesis; schemathesis()';
  const parameters = ['--checks', 'all', '--seed', String(seed), '--max-examples', String(examples)];
  const config = ['--config-file', join(here, 'schemathesis.toml')];
  const reports = ['--report', 'json', '--report-json-path', report];
  try {
    const { code, output } = await exitOf(
      ['-c', program, ...config, 'run', `${origin}/openapi.json`, ...parameters, ...reports],
      // The folder, which is deleted, also holds its cache.
      {
        cwd: folder,
        ...defined({ signal: stop }),
        env: {
          ...fuzzTokens,
          INSTANCE_ID: fuzzedInstance,
          PATH: process.env.PATH,
          ...pythonSettings(packages),
        },
      },
    );
    const text = await readFile(report, 'utf8').catch(() => undefined);
    if (text === undefined || code > 1) throw new Error(`schemathesis failed:\n${output}`);
    return read(JSON.parse(text), code, output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pythonSettings(packages: string): Record<string, string> {
  return { PYTHONPATH: `${packages}:${here}`, PYTHONDONTWRITEBYTECODE: '1', LANG: 'C.UTF-8' };
}

/** The fields used from its report. */
interface Report {
  readonly operations: { readonly selected: number; readonly tested: number };
  readonly test_cases: { readonly generated: number; readonly without_checks: number };
  readonly failures: readonly unknown[];
  readonly errors: readonly unknown[];
}

function read(
  { operations, test_cases, failures, errors }: Report,
  code: number,
  output: string,
): ApiFuzzReport {
  const found = [...failures, ...errors];
  return {
    cases: test_cases.generated - test_cases.without_checks,
    // In its own words, with a command to repeat each failure.
    failures:
      code === 0 && found.length === 0 ? [] : [output.replace(/^[\s\S]*?(?=^=+ (FAILURES|ERRORS) )/m, '')],
    operations,
  };
}

/** Runs Python and returns its output and exit code. */
async function exitOf(
  parameters: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; signal?: AbortSignal },
): Promise<{ code: number; output: string }> {
  try {
    const { stdout } = await run('python3', parameters, { ...options, maxBuffer: 64 << 20 });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, output: `${stdout}\n${stderr}` };
  }
}
