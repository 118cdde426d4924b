import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchResults } from '../results.ts';

/**
 * Writes an `.hgrm` file for each latency of each run, for the plotters of HdrHistogram:
 * `hot-package/actor-sqlite-callers-512-round-1-outcome.hgrm`. Files of an earlier run are removed.
 */
export async function writeHistograms({ scenarios }: BenchResults, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const { name, text } of scenarios.flatMap(histogramsOf)) {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  }
}

function histogramsOf({ name: scenario, contestants }: BenchResults['scenarios'][number]) {
  return contestants.flatMap(({ name, runs }) =>
    runs.flatMap(({ parameters, round, latencies }) =>
      Object.entries(latencies).flatMap(([latency, { hgrm }]) => {
        const words = [name, ...Object.entries(parameters).flat(), 'round', round, latency];
        return hgrm === undefined
          ? []
          : [{ name: `${plain(scenario)}/${plain(words.join('-'))}.hgrm`, text: hgrm }];
      }),
    ),
  );
}

/** Letters, digits, dots and dashes. */
function plain(text: string): string {
  return text.replaceAll(/[^\w.]+/g, '-');
}
