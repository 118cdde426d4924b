import { readFileSync } from 'node:fs';

/**
 * The number of files and connections that this process may have open. Node has already raised it to the hard limit.
 * Undefined if it is unknown or unlimited.
 */
export function openFilesMax(limitsFile = '/proc/self/limits'): number | undefined {
  try {
    const soft = /^Max open files\s+(?<soft>\d+)/m.exec(readFileSync(limitsFile, 'utf8'))?.groups?.soft;
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
