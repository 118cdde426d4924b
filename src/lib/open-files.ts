import { readFileSync } from 'node:fs';

/**
 * How many files and connections this process may have open. Node has raised the limit as far as it may by itself.
 * Undefined where it is not known, or there is none.
 */
export function openFilesMax(limitsFile = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files\s+(?<soft>\d+)/m.exec(readFileSync(limitsFile, 'utf8'))?.groups?.soft;
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
