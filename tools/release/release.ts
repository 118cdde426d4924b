import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../../src/lib/command-line.ts';
import { withVersion } from './changelog.ts';

const run = promisify(execFile);

export interface Release {
  /** The root of the repository. */
  readonly folder: string;
  /** Such as `1.2.3`. */
  readonly version: string;
  /** ISO date of the release. */
  readonly date: string;
}

/** The folders of packages whose version is that of the product. */
const packages = ['.', 'clients/typescript'];
const chart = 'deploy/helm/ticket-booking/Chart.yaml';

/**
 * Checks whether the version can be released. Changes nothing.
 * @returns the changelog of the release
 * @throws UsageError for a version that is none, or not above the present one.
 * @throws Error if the branch is not main, the tree is not clean, the tag exists, or nothing is unreleased.
 */
export async function checkRelease({ folder, version, date }: Release): Promise<string> {
  if (!/^\d{1,9}(\.\d{1,9}){2}$/.test(version))
    throw new UsageError(`'${version}' is no version like 1.2.3.`);
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  if (!isAbove(version, manifest.version)) {
    throw new UsageError(`${version} is not above ${manifest.version}, the version in package.json.`);
  }
  const branch = await git(folder, 'branch', '--show-current');
  if (branch !== 'main') throw new Error(`Releases are made from main, not from ${branch || 'no branch'}.`);
  if ((await git(folder, 'status', '--porcelain')) !== '') {
    throw new Error('The tree has changes that are not committed: see git status.');
  }
  if ((await git(folder, 'tag', '--list', tagOf(version))) !== '') {
    throw new Error(`The tag ${tagOf(version)} exists already.`);
  }
  return withVersion(await readFile(join(folder, 'CHANGELOG.md'), 'utf8'), version, date);
}

/**
 * Makes the commit, the annotated tag and the SBOM of a release. If a step fails, the repository is as it was before.
 * @returns the path of the SBOM, from the folder
 * @throws Error as {@link checkRelease}, and if git or npm fail.
 */
export async function makeRelease(release: Release): Promise<string> {
  const changelog = await checkRelease(release);
  const { folder, version } = release;
  const sbom = join('release', `ticket-booking-${version}.cdx.json`);
  const head = await git(folder, 'rev-parse', 'HEAD');
  try {
    await writeFile(join(folder, 'CHANGELOG.md'), changelog);
    for (const each of packages) {
      const parameters = ['--no-git-tag-version', '--ignore-scripts', '--allow-same-version'];
      await run('npm', ['version', version, ...parameters], { cwd: join(folder, each) });
    }
    const text = await readFile(join(folder, chart), 'utf8');
    await writeFile(join(folder, chart), text.replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`));
    await mkdir(join(folder, 'release'), { recursive: true });
    await writeFile(join(folder, sbom), await sbomOf(folder));
    await git(folder, 'commit', '--all', '--quiet', '--message', `Release ${version}`);
    await git(folder, 'tag', '--annotate', '--message', `Release ${version}`, tagOf(version));
    return sbom;
  } catch (error) {
    // The tree was clean, so nothing else is lost.
    await git(folder, 'reset', '--hard', '--quiet', head);
    await rm(join(folder, sbom), { force: true });
    throw error;
  }
}

/** The fields of a CycloneDX document that are changed here. */
interface Sbom {
  readonly metadata: { readonly component: { name: string; readonly 'bom-ref': string } };
  components: { readonly 'bom-ref': string; readonly properties: { readonly name: string }[] }[];
  dependencies: { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** The packages that the image ships, as CycloneDX. Reads the lockfile, so nothing has to be installed. */
async function sbomOf(folder: string): Promise<string> {
  const form = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const { stdout } = await run('npm', ['sbom', ...form, '--package-lock-only'], {
    cwd: folder,
    maxBuffer: 64 << 20,
  });
  const sbom = JSON.parse(stdout) as Sbom;
  const { component } = sbom.metadata;
  // npm names the product after its folder.
  component.name = (
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { name: string }
  ).name;
  // `npm sbom --omit dev` also omits what both the product and a development dependency need.
  sbom.components = sbom.components.filter(
    ({ properties }) => !properties.some(({ name }) => name === 'cdx:npm:package:development'),
  );
  const shipped = new Set([component['bom-ref'], ...sbom.components.map((each) => each['bom-ref'])]);
  sbom.dependencies = sbom.dependencies
    .filter(({ ref }) => shipped.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => shipped.has(other)) }));
  return `${JSON.stringify(sbom, undefined, 2)}\n`;
}

async function git(folder: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await run('git', parameters, { cwd: folder });
  return stdout.trim();
}

export function tagOf(version: string): string {
  return `v${version}`;
}

function isAbove(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) > 0;
}
