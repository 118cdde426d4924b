import { aptInstall, firstFound, onPath } from './find.ts';
import { atPathOf } from './go-program.ts';

/**
 * Finds promtool, Prometheus's own tool for rules: the program at PROMTOOL_PATH, a program on PATH, or Debian's package.
 * @throws Error with what to do if there is none.
 */
export function findPromtool(): Promise<string> {
  return firstFound(
    'promtool',
    'Install Prometheus (Debian: apt-get install prometheus) or set PROMTOOL_PATH.',
    [
      () => atPathOf('PROMTOOL_PATH'),
      search,
      async () => {
        const why = await aptInstall('prometheus');
        return why === undefined ? search() : { why };
      },
    ],
  );
}

async function search(): Promise<{ path: string } | { why: string }> {
  const path = await onPath('promtool');
  return path === undefined ? { why: 'promtool is not on PATH' } : { path };
}
