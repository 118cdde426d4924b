import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { BenchResults } from '../results.ts';

/** A file is not the results of a bench. The message has one line. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

const numbers = z.record(z.string(), z.number());

const percentiles = z.object({
  count: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
  curve: z.array(z.tuple([z.number(), z.number()])),
});

const timelineSecond = z.object({
  second: z.number(),
  finished: z.number(),
  confirmed: z.number(),
  accepted: z.number(),
  errors: z.number(),
  dropped: z.number(),
  p50: z.number().exactOptional(),
  p99: z.number().exactOptional(),
  max: z.number().exactOptional(),
});

const run = z.object({
  round: z.number(),
  parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  figures: numbers,
  latencies: z.record(z.string(), percentiles),
  answers: numbers,
  dropped: z.number(),
  errors: z.number(),
  cpu: numbers,
  profile: numbers.exactOptional(),
  timeline: z.array(timelineSecond).exactOptional(),
  audit: z.object({ verdict: z.enum(['clean', 'void', 'none']), detail: z.string() }),
});

const contestant = z.object({
  name: z.string(),
  title: z.string(),
  isOurs: z.boolean(),
  runs: z.array(run),
});

const benchResults = z.object({
  version: z.literal([1, 2]),
  startedAt: z.iso.datetime({ offset: true }),
  durationS: z.number(),
  command: z.string(),
  mode: z.enum(['full', 'quick', 'targets']),
  headline: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryGiB: z.number(),
    os: z.string(),
    node: z.string(),
    servers: z.array(z.string()),
    placement: z.record(z.string(), z.string()),
  }),
  scenarios: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      what: z.string(),
      contestants: z.array(contestant),
      notes: z.array(z.string()),
    }),
  ),
  assertions: z.array(z.object({ text: z.string(), held: z.boolean() })).exactOptional(),
  goals: z.array(
    z.object({
      scenario: z.string(),
      title: z.string(),
      atLeast: z.number().exactOptional(),
      atMost: z.number().exactOptional(),
      unit: z.string(),
      value: z.number().exactOptional(),
      smaller: z.object({ value: z.number(), at: z.string() }).exactOptional(),
      why: z.string().exactOptional(),
    }),
  ),
});

/** @throws ResultsError with the file's name if it is missing, invalid, or of an unknown version. */
export async function readResults(path: string): Promise<BenchResults> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ResultsError(`${path} cannot be read (${codeOf(error)})`);
  }
  return parseResults(text, path);
}

/** @throws ResultsError whose message begins with `source`. */
export function parseResults(text: string, source: string): BenchResults {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ResultsError(`${source} is not JSON: is it the results of a bench, and whole?`);
  }
  const version = versionOf(value);
  if (version !== 1 && version !== 2) {
    throw new ResultsError(
      `${source} is of version ${version ?? 'none'}, and this bench reads versions 1 and 2`,
    );
  }
  const { success, data, error } = benchResults.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw new ResultsError(`${source} is no bench's results: ${issue?.path.join('.')}: ${issue?.message}`);
}

function versionOf(value: unknown): string | number | undefined {
  if (typeof value !== 'object' || value === null || !('version' in value)) return undefined;
  const { version } = value;
  return typeof version === 'number' ? version : JSON.stringify(version).slice(0, 40);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
