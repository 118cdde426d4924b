import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = import.meta.dirname;

interface SourceFile {
  /** From `src`, with slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports: files as paths from `src`, packages as they are. */
  readonly imports: readonly string[];
  readonly isTest: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|mjs)$/.test(path))
  .map(readSource);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(?<specifier>[^'\n]+)'/g)];
  return {
    path: path.split(sep).join('/'),
    text,
    isTest: /\.test\.ts$/.test(path),
    imports: specifiers.map(({ groups }) => {
      const specifier = groups?.specifier as string;
      if (!specifier.startsWith('.')) return specifier;
      return relative(root, resolve(root, dirname(path), specifier))
        .split(sep)
        .join('/');
    }),
  };
}

/** The folder that decides what a file may see: `domain/…`, or `adapters/store/…` for an adapter family. */
function layerOf(path: string): string {
  return /^(adapters\/[^/]+|[^/]+)(?=\/)/.exec(path)?.[0] ?? path;
}

/** What each layer may import of the others (itself it always may). Those that are not listed see everything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  ports: ['domain'],
  actor: ['domain', 'ports'],
  booking: ['domain', 'ports', 'actor'],
  plans: ['domain', 'ports', 'actor', 'booking'],
  operations: ['domain', 'ports', 'actor', 'booking'],
  http: ['domain', 'ports', 'actor', 'booking', 'plans'],
  ops: ['domain', 'ports'],
};
const adaptersMayImport = ['domain', 'ports'];

/** Folders and files that may stand in `src`. */
const places =
  /^(domain|lib|ports|actor|booking|plans|operations|adapters|http|ops|cli|testing|compose|main\.ts|compose\.ts|start\.mjs|start\.test\.ts|layout\.test\.ts)$/;
const seesEverything =
  /^(cli|testing|compose|main\.ts|compose\.ts|start\.mjs|start\.test\.ts|layout\.test\.ts)$/;

/** `why` for each file that breaks a rule; empty when none does. */
function breaches(rule: (file: SourceFile) => string | undefined): string[] {
  return files.flatMap((file) => {
    const why = rule(file);
    return why === undefined ? [] : [`${file.path}: ${why}`];
  });
}

/** Code without its comments, so that talking about something is not doing it. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<=^|\s)\/\/.*$/gm, '');
}

const pureLayers = /^(domain|actor|booking|plans|operations)$/;

describe('layout', () => {
  it('reads the sources and their imports', () => {
    expect(files.length).toBeGreaterThan(20);
    const problem = files.find((file) => file.path === 'http/problem.ts');
    expect(problem?.imports).toEqual(expect.arrayContaining(['hono', 'domain/errors.ts', 'http/json.ts']));
  });

  it('has nothing in src but the folders that the design names', () => {
    expect(
      breaches(({ path }) => (places.test(path.split('/')[0] as string) ? undefined : 'no such place')),
    ).toEqual([]);
  });

  it('imports in one direction', () => {
    const found = breaches(({ path, imports, isTest }) => {
      const layer = layerOf(path);
      // A test may put the other side of a port next to what it tests.
      if (isTest || seesEverything.test(layer)) return undefined;
      const allowed = layer.startsWith('adapters/') ? adaptersMayImport : (mayImport[layer] ?? []);
      const wrong = imports.filter((target) => {
        if (!/\.(ts|mjs)$/.test(target) || target.includes('node_modules')) return false;
        const other = layerOf(target);
        return other !== layer && other !== 'lib' && !allowed.includes(other);
      });
      return wrong.length === 0 ? undefined : `${layer} must not import ${wrong.join(', ')}`;
    });
    expect(found).toEqual([]);
  });

  it('keeps the domain free of packages and of Node', () => {
    const found = breaches(({ path, imports, isTest }) => {
      if (isTest || !/^(domain|ports)\//.test(path)) return undefined;
      const foreign = imports.filter((target) => !/\.ts$/.test(target));
      return foreign.length === 0 ? undefined : `imports ${foreign.join(', ')}`;
    });
    expect(found).toEqual([]);
  });

  it('has only tests, and commands for developers, import from testing', () => {
    const found = breaches(({ path, imports, isTest }) => {
      if (isTest || /^(testing|cli\/(screenshots|cluster|simulate|chaos|fuzz))/.test(path)) return undefined;
      return imports.some((target) => target.startsWith('testing/')) ? 'imports from testing' : undefined;
    });
    expect(found).toEqual([]);
  });

  it('has a checker of chaos runs that shares no code with the server', () => {
    const own = /^testing\/chaos\/(checker\/|history\.ts$)/;
    const found = breaches(({ path, imports, isTest }) => {
      if (isTest || !own.test(path)) return undefined;
      const foreign = imports.filter((target) => !own.test(target) && !/^(mongodb$|node:)/.test(target));
      return foreign.length === 0 ? undefined : `imports ${foreign.join(', ')}`;
    });
    expect(found).toEqual([]);
    expect(files.filter(({ path }) => own.test(path)).length).toBeGreaterThan(10);
  });

  it('reads the environment in one file', () => {
    const readers = breaches(({ path, text, isTest }) =>
      /process\.env|import\.meta\.env/.test(codeOf(text)) &&
      !isTest &&
      !/^(testing\/|ops\/config\.ts$)/.test(path)
        ? 'reads the environment'
        : undefined,
    );
    expect(readers).toEqual([]);
  });

  it('leaves time and chance to the ports', () => {
    const clockOrChance =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bset(Timeout|Interval|Immediate)\b|\bperformance\.now\b|\bprocess\.hrtime\b|AbortSignal\.timeout/;
    const found = breaches(({ path, text, isTest }) => {
      if (isTest || !pureLayers.test(layerOf(path))) return undefined;
      return clockOrChance.exec(codeOf(text))?.[0];
    });
    expect(found).toEqual([]);
  });

  it('keeps files small', () => {
    expect(
      breaches(({ path, text, isTest }) => {
        const linesMax = isTest || path.startsWith('testing/') ? 600 : 400;
        const lines = text.split('\n').length;
        return lines > linesMax ? `${lines} lines, at most ${linesMax}` : undefined;
      }),
    ).toEqual([]);
  });
});
