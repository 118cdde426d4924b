import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../../test/support/node-process.ts';

const root = join(import.meta.dirname, '../..');
const schemas = join(root, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');
const program = join(import.meta.dirname, 'command.ts');
const version = '9999.1.2';

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
}

interface Dependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

/** A clone of this repository, on main, with an entry under Unreleased. */
let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'ticket-booking-release-'));
  await promisify(execFile)('git', ['clone', '--quiet', '--no-tags', root, clone]);
  await git('checkout', '--quiet', '-B', 'main');
  const changelog = await read('CHANGELOG.md');
  await writeFile(
    join(clone, 'CHANGELOG.md'),
    changelog.replace('## Unreleased\n', '## Unreleased\n\n- A thing of this test.\n'),
  );
  await git('commit', '--quiet', '--all', '--message', 'Add a thing');
});
afterEach(() => rm(clone, { recursive: true, force: true }));

const environment = () =>
  environmentOf({
    HOME: clone,
    GIT_AUTHOR_NAME: 'A test',
    GIT_AUTHOR_EMAIL: 'test@tickets.example',
    GIT_COMMITTER_NAME: 'A test',
    GIT_COMMITTER_EMAIL: 'test@tickets.example',
    npm_config_update_notifier: 'false',
    npm_config_cache: join(clone, '.cache'),
  });

async function git(...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', parameters, { cwd: clone, env: environment() });
  return stdout.trim();
}

const read = (path: string) => readFile(join(clone, path), 'utf8');

function release(...parameters: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: clone, env: environment() };
    execFile(process.execPath, [program, ...parameters], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

/** All that a release changes. */
async function state(): Promise<unknown> {
  return [await git('rev-parse', 'HEAD'), await git('tag', '--list'), await git('status', '--porcelain')];
}

describe('npm run release', () => {
  it('commits and tags the version in the changelog and the packages', async () => {
    const before = await git('rev-parse', 'HEAD');
    const { code, output } = await release(version);
    expect(output).toContain(`Released ${version}: a commit, the tag v${version}`);
    expect(code).toBe(0);
    expect(await git('rev-parse', 'HEAD^')).toBe(before);
    expect(await git('log', '-1', '--format=%s')).toBe(`Release ${version}`);
    expect(await git('cat-file', '-t', `v${version}`)).toBe('tag');
    expect(await git('rev-parse', `v${version}^{commit}`)).toBe(await git('rev-parse', 'HEAD'));
    expect(await git('status', '--porcelain')).toBe('');
    const changed = (await git('diff', '--name-only', before)).split('\n');
    expect(changed.toSorted()).toEqual(
      [
        ...['CHANGELOG.md', 'clients/typescript/package.json', 'deploy/helm/ticket-booking/Chart.yaml'],
        ...['package-lock.json', 'package.json'],
      ].toSorted(),
    );
    expect(await read('deploy/helm/ticket-booking/Chart.yaml')).toContain(
      `\nversion: ${version}\nappVersion: ${version}\n`,
    );
    expect(await read('CHANGELOG.md')).toMatch(
      /\n## Unreleased\n\n## 9999\.1\.2 – \d{4}-\d\d-\d\d\n\n- A thing of this test\.\n/,
    );
    for (const path of ['package.json', 'clients/typescript/package.json'])
      expect(JSON.parse(await read(path)), path).toMatchObject({ version });
    expect(JSON.parse(await read('package-lock.json'))).toMatchObject({
      version,
      packages: { '': { version } },
    });
    // Nothing but the version and the changelog has changed.
    const lines = (await git('diff', '--unified=0', before, '--', '*.json')).split('\n');
    const added = lines.filter((line) => /^\+[^+]/.test(line));
    expect(added.map((line) => line.slice(1).trim())).toEqual(Array(4).fill(`"version": "${version}",`));
  });

  it('writes a valid CycloneDX SBOM of what the image ships', async () => {
    await release(version);
    const sbom = JSON.parse(await read(`release/ticket-booking-${version}.cdx.json`));
    expect(await errorsOf(sbom)).toEqual([]);
    expect(await errorsOf({ ...sbom, components: [{ type: 'no such type' }] })).not.toEqual([]);
    expect(sbom.metadata.component).toMatchObject({ name: 'ticket-booking', version, type: 'application' });
    const { packages } = JSON.parse(await read('package-lock.json')) as Lockfile;
    const shipped = Object.entries(packages)
      .filter(([path, { dev }]) => path !== '' && dev !== true)
      .map(([path, each]) => `${path.split('node_modules/').at(-1)}@${each.version}`);
    const refs: string[] = sbom.components.map((each: { 'bom-ref': string }) => each['bom-ref']);
    expect(refs.toSorted()).toEqual([...new Set(shipped)].toSorted());
    const named = sbom.dependencies.flatMap(({ ref, dependsOn }: Dependency) => [ref, ...dependsOn]);
    expect(new Set(named)).toEqual(new Set([...refs, `ticket-booking@${version}`]));
  });

  it('--dry-run changes nothing', async () => {
    const before = await state();
    const { code, output } = await release(version, '--dry-run');
    expect(output).toContain(`${version} can be released`);
    expect(code).toBe(0);
    expect(await state()).toEqual(before);
  });

  it.each([
    ['without a version', [], 'Name one version', async () => {}],
    ['with two versions', [version, '1.0.0'], 'Name one version', async () => {}],
    ['with a word', ['major'], 'is no version', async () => {}],
    ['with a version that is not above the present one', ['0.0.9'], 'is not above', async () => {}],
    [
      'with a tag that exists',
      [version],
      'exists already',
      async () => void (await git('tag', `v${version}`)),
    ],
    [
      'on another branch',
      [version],
      'not from another',
      async () => void (await git('checkout', '-q', '-b', 'another')),
    ],
    [
      'with a changed tree',
      [version],
      'not committed',
      () => writeFile(join(clone, 'README.md'), 'Changed.\n'),
    ],
    ['with a new file', [version], 'not committed', () => writeFile(join(clone, 'a-new-file'), '')],
  ])('refuses %s', async (_case, parameters, words, prepare) => {
    await prepare();
    const before = await state();
    for (const more of [[], ['--dry-run']]) {
      const { code, output } = await release(...parameters, ...more);
      expect(output).toContain(words);
      expect(code).toBe(2);
      expect(await state()).toEqual(before);
    }
  });

  it('leaves everything as it was if the commit fails', async () => {
    const before = await state();
    const hook = join(clone, '.git/hooks/pre-commit');
    await writeFile(hook, '#!/bin/sh\necho no commits today >&2\nexit 1\n');
    await chmod(hook, 0o755);
    const { code, output } = await release(version);
    expect(output).toContain('no commits today');
    expect(code).toBe(2);
    expect(await state()).toEqual(before);
  });
});

/** What breaks the schema of CycloneDX that the SBOM names. */
async function errorsOf(sbom: { readonly specVersion: string }): Promise<unknown[]> {
  const schema = async (name: string) =>
    JSON.parse(await readFile(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ['spdx', 'jsf-0.82']) {
    // Other schemas refer to them by the names of their files.
    ajv.addSchema(await schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  }
  const validate = ajv.compile(await schema(`bom-${sbom.specVersion}`));
  return validate(sbom) ? [] : (validate.errors ?? []);
}
