import { findDebianProgram } from './find.ts';

/**
 * Finds promtool, Prometheus's own tool for rules: the program at PROMTOOL_PATH, a program on PATH, or Debian's package.
 * @throws Error with what to do if there is none.
 */
export function findPromtool(): Promise<string> {
  return findDebianProgram({
    ...{ what: 'promtool', name: 'promtool', debianPackage: 'prometheus', pathVariable: 'PROMTOOL_PATH' },
    advice: 'Install Prometheus (Debian: apt-get install prometheus) or set PROMTOOL_PATH.',
  });
}
