import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import { cachedDownload } from './cache.ts';
import { endChild } from './end-child.ts';
import { atPathOf, firstFound, isRunnable, onPath } from './find.ts';

const release = 'v0.165.0';
const collector = 'go.opentelemetry.io/collector';
/** What OpenTelemetry's own builder puts into the collector. */
const manifest = `
dist: { name: otelcol, output_path: build }
receivers: [{ gomod: ${collector}/receiver/otlpreceiver ${release} }]
exporters: [{ gomod: ${collector}/exporter/debugexporter ${release} }]
`;
/** A build takes some minutes on two idle cores, and runs once. */
const buildTimeoutMs = 1_200_000;

/** A real OpenTelemetry Collector that prints all that it receives. */
export interface RealCollector {
  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** What it has printed. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts the OpenTelemetry Collector: the program at OTELCOL_PATH, a program on PATH, or one that is built once.
 * @throws Error with what to do if there is none.
 */
export async function startRealCollector(): Promise<RealCollector> {
  const program = await findOtelcol();
  const folder = await mkdtemp(join(tmpdir(), 'ticket-booking-otelcol-'));
  const port = await freePort();
  const file = join(folder, 'config.yaml');
  await writeFile(file, configuration(port));
  const child = spawn(program, ['--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text));
  const stop = async () => {
    await endChild(child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  await ready(child, () => output);
  return { url: `http://127.0.0.1:${port}`, output: () => output, stop };
}

function configuration(port: number): string {
  return `
receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [debug] }
    metrics: { receivers: [otlp], exporters: [debug] }
`;
}

function ready(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', () => {
      if (output().includes('Everything is ready')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`the collector ended before it was ready: ${output()}`)));
  });
}

/** Finds the program, or builds it. @throws Error with what to do if there is none. */
export function findOtelcol(): Promise<string> {
  const advice = `Install otelcol ${release}, or Go to have it built, or set OTELCOL_PATH.`;
  return firstFound('OpenTelemetry Collector', advice, [
    () => atPathOf('OTELCOL_PATH'),
    async () => {
      const path = await onPath('otelcol');
      return path === undefined ? { why: 'otelcol is not on PATH' } : { path };
    },
    async () => {
      try {
        return await cachedDownload(`otelcol-${release}`, build);
      } catch (error) {
        return { why: `building it failed: ${(error as Error).message.split('\n')[0]}` };
      }
    },
  ]);
}

/** Builds a collector with OpenTelemetry's own builder. */
async function build(folder: string): Promise<string> {
  const go = (await onPath('go')) ?? '/usr/local/go/bin/go';
  if (!(await isRunnable(go))) throw new Error('there is no go');
  await writeFile(join(folder, 'builder.yaml'), manifest);
  const env = { ...process.env, CGO_ENABLED: '0', PATH: `${dirname(go)}:${process.env.PATH}` };
  await promisify(execFile)(
    'nice',
    ['-n', '5', go, 'run', `${collector}/cmd/builder@${release}`, '--config', 'builder.yaml'],
    { cwd: folder, env, timeout: buildTimeoutMs, maxBuffer: 2 ** 26 },
  );
  return join(folder, 'build', 'otelcol');
}

// Run directly, this file builds the collector before the tests.
if (import.meta.main) console.log(await findOtelcol());
