import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfig, settingNames } from '../../src/config/config.ts';
import { errorCatalogue } from '../../src/domain/errors.ts';
import { allOperations } from '../../src/openapi/routes.ts';
import { fakeApp } from '../support/fake-app.ts';
import { brokenLinks, codeSpans, documentAt, documents, missingFiles, root, tableRows } from './markdown.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: object;
  readonly devDependencies: object;
};
const titled = documents.map((document) => ({ ...document, title: document.path }));

/** Files that commands write and documents mention. */
const written = ['timeline.html', 'comparison.html', 'packages.json', 'tickets.yaml', 'dist/index.js'];
/** Variables that are not settings of the server but of Compose, tests and Node. */
const otherVariables = [
  ...[...readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^#?([A-Z_]+)=/gm)].map(
    ([, name]) => name,
  ),
  ...['CHROMIUM_PATH', 'REDIS_SERVER_PATH', 'MONGOD_PATH', 'DOCKER_COMPOSE_PATH', 'PROMTOOL_PATH'],
  ...['OTELCOL_PATH', 'HELM_PATH', 'KUBECONFORM_PATH', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'],
];

describe('documents', () => {
  it('has a README of at most 8 kB', () => {
    expect(Buffer.byteLength(documentAt('README.md').text)).toBeLessThanOrEqual(8_000);
  });

  it.each(titled)('$title links only to files and headings that exist', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  it.each(titled)('$title names only files that exist', (document) => {
    expect(missingFiles(document).filter((name) => !written.includes(name))).toEqual([]);
  });

  it.each(titled)('$title names only variables that exist', (document) => {
    const named = codeSpans(document).flatMap((code) => /^[A-Z]+(?:_[A-Z]+)+(?==|$)/.exec(code) ?? []);
    const known = new Set<string | undefined>([...settingNames, ...otherVariables]);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(titled)('$title names only routes that exist', (document) => {
    const served = new Set(fakeApp().routes.map(({ method, path }) => `${method} ${path}`));
    const named = routesIn(document.text).filter((route) => route !== 'GET /live');
    expect(named.filter((route) => !served.has(route))).toEqual([]);
  });

  it.each(titled)('$title names only npm scripts that exist', ({ text }) => {
    expect(commandsIn(text).filter(({ script }) => manifest.scripts[script] === undefined)).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  const rows = tableRows(documentAt('docs/configuration.md'), '| setting | default | meaning |');
  const namesIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);

  it('lists every setting exactly once', () => {
    expect(rows.flatMap(([names]) => namesIn(names)).toSorted()).toEqual(settingNames.toSorted());
  });

  it.each(rows)('%s: the default is %s', (names, fallback = '') => {
    const [[name = ''], value] = [namesIn(names), /^`([^`]+)`$/.exec(fallback)?.[1]];
    if (value === undefined || (settingNames as string[]).includes(value)) return;
    expect(readConfig({ [name]: value })).toEqual(readConfig({}));
  });
});

describe('docs/api.md', () => {
  it('has every route of /openapi.json', () => {
    const described = new Set(routesIn(documentAt('docs/api.md').text));
    const all = allOperations.map(({ method, path }) => routeOf(method, path));
    expect(all.filter((route) => !described.has(route))).toEqual([]);
  });

  it('names only error codes that exist', () => {
    const named = codeSpans(documentAt('docs/api.md')).filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((code) => !(code in errorCatalogue))).toEqual([]);
  });
});

describe('CONTRIBUTING.md', () => {
  it('gives a reason for each dependency', () => {
    const named = tableRows(documentAt('CONTRIBUTING.md'), '| package | why |').flatMap(([names = '']) =>
      names.replace(' (dev)', '').split(', '),
    );
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(named.toSorted()).toEqual(installed.toSorted());
  });
});

describe('options of commands', () => {
  const used = Map.groupBy(
    documents.flatMap(({ text }) => commandsIn(text)),
    ({ script }) => script,
  );
  const withOptions = [...used]
    .map(([script, commands]) => ({
      script,
      options: [...new Set(commands.flatMap(({ options }) => options))],
    }))
    .filter(({ options }) => options.some((option) => option !== '--help'));

  it.each(withOptions)('npm run $script explains $options', async ({ script, options }) => {
    const file = manifest.scripts[script]?.split(' ').at(-1) as string;
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--help'], { cwd: root });
    expect(options.filter((option) => option !== '--help' && !stdout.includes(option))).toEqual([]);
  });
});

/** Each `npm run <script>` in a text with the options that follow it on the line. */
function commandsIn(text: string): { readonly script: string; readonly options: string[] }[] {
  const lines = text.replaceAll('\\\n', ' ');
  return [...lines.matchAll(/npm run ([\w:]+)(?: -- ([^`#&|\n]*))?/g)].map(([, script = '', rest = '']) => ({
    script,
    options: rest.match(/(?<=^|\s)--[a-z][\w-]*/g) ?? [],
  }));
}

/** Each `METHOD /path` in code spans, with parameters written as in the app: `:id`. */
function routesIn(text: string): string[] {
  const routes = text.matchAll(/\b(GET|POST|PUT|PATCH|DELETE) (\/[\w/:.-]*)/g);
  return [...routes].map(([, method, path = '']) => `${method} ${path.replace(/\.$/, '')}`);
}

function routeOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
}
