import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { cachedDownload, downloadTimeoutMs } from '../support/servers/cache.ts';
import { firstFound, isRunnable, onPath } from '../support/servers/find.ts';

const run = promisify(execFile);

/** The Go modules that define the chart's custom resources, and the file of each that does. */
const definitions = [
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.85.0',
    file: 'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  },
  {
    module: 'github.com/external-secrets/external-secrets@v1.3.2',
    file: 'config/crds/bases/external-secrets.io_externalsecrets.yaml',
  },
];

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: unknown };
    }[];
  };
}

export interface Crds {
  /** The files with the operators' own definitions (YAML). */
  readonly files: readonly string[];
  /** The folder with their JSON schemas, `<group>/<kind>_<version>.json`. */
  readonly schemas: string;
}

/**
 * Finds the definitions, which are downloaded once and kept outside the tree.
 * @throws Error with what to do if they cannot be had.
 */
export async function findCrds(): Promise<Crds> {
  const advice = 'It takes Go, and the proxy for Go modules.';
  const folder = await firstFound('definitions of the custom resources', advice, [
    async () => {
      try {
        const versions = definitions.map(({ module }) => module.split('@')[1]).join('-');
        return await cachedDownload(`crds-${versions}`, download);
      } catch (error) {
        const [firstLine] = (error as Error).message.split('\n');
        return { why: `downloading them with Go failed: ${firstLine}` };
      }
    },
  ]);
  return {
    files: definitions.map(({ file }) => join(folder, basename(file))),
    schemas: join(folder, 'schemas'),
  };
}

async function download(temporary: string): Promise<string> {
  const go = (await onPath('go')) ?? '/usr/local/go/bin/go';
  if (!(await isRunnable(go))) throw new Error('there is no go');
  const folder = join(temporary, 'crds');
  for (const { module, file } of definitions) {
    const parameters = ['mod', 'download', '-json', module];
    const { stdout } = await run(go, parameters, { cwd: temporary, timeout: downloadTimeoutMs });
    const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
    const definition = await readFile(join(Dir, file), 'utf8');
    const { spec } = parse(definition) as Definition;
    const schemas = join(folder, 'schemas', spec.group);
    await mkdir(schemas, { recursive: true });
    await writeFile(join(folder, basename(file)), definition);
    for (const { name, schema } of spec.versions) {
      const path = join(schemas, `${spec.names.kind.toLowerCase()}_${name}.json`);
      await writeFile(path, JSON.stringify(strict(schema.openAPIV3Schema)));
    }
  }
  return folder;
}

/** A structural schema of Kubernetes as a JSON schema that refuses unknown fields, as an API server warns of them. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const fields = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  const isClosed = 'properties' in fields && !('x-kubernetes-preserve-unknown-fields' in fields);
  return isClosed && fields.type === 'object' ? { additionalProperties: false, ...fields } : fields;
}
