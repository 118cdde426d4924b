import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));

/** The lines below a key at some depth, without the key itself. */
function block(key: string, indent: number): string[] {
  const start = lines.indexOf(`${' '.repeat(indent)}${key}:`);
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.search(/\S/) <= indent);
  return end < 0 ? rest : rest.slice(0, end);
}

const serviceNames = block('services', 0).flatMap((line) => /^ {2}([\w-]+):$/.exec(line)?.[1] ?? []);

/** What shows in its text. compose-file.long.test.ts has a real Compose read it. */
describe('docker-compose.yml', () => {
  it('is indented as YAML requires', () => {
    expect(text).not.toMatch(/\t/);
    for (const line of lines) expect(line.search(/\S/) % 2, line).toBe(0);
    const names = [...text.matchAll(/&(\w[\w-]*)/g)].map(([, name]) => name);
    for (const [, name] of text.matchAll(/[ []\*(\w[\w-]*)/g)) expect(names).toContain(name);
  });

  it('has all parts of a cluster, each with a health check and a stop timeout', () => {
    expect(serviceNames).toEqual(expect.arrayContaining(['mongo', 'redis', 'suppliers', 'app', 'proxy']));
    for (const name of serviceNames) {
      const service = block(name, 2).join('\n');
      expect(service, name).toMatch(/^ {4}healthcheck:/m);
      expect(service, name).toMatch(/^ {4}stop_grace_period: \d+s$/m);
    }
  });

  it('names only programs, services and volumes that exist', () => {
    const programs = [...text.matchAll(/\bsrc\/[\w/-]+\.(?:ts|mjs)\b/g)].map(([path]) => path);
    expect(programs).toContain('src/commands/suppliers.ts');
    for (const path of programs) expect(existsSync(join(root, path)), path).toBe(true);
    for (const [, host] of text.matchAll(/:\/\/(\w+):\d+/g)) {
      if (host !== 'localhost') expect(serviceNames).toContain(host);
    }
    const volumes = block('volumes', 0).map((line) => line.trim().replace(':', ''));
    for (const [, volume] of text.matchAll(/volumes: \['(\w+):/g)) expect(volumes).toContain(volume);
  });

  it('contains no secret', () => {
    for (const line of lines) {
      const [, name, value] = /^ +(\w*(?:SECRET|TOKEN|PASSWORD)\w*): (.*)$/.exec(line) ?? [];
      if (name !== undefined) expect(value).toMatch(new RegExp(`^\\$\\{${name}:(\\?.+|-)\\}$`));
    }
  });

  it('leads buyers who pay to the published address of the proxy', () => {
    const [, port] = /PUBLISH:-127\.0\.0\.1:(\d+)\}/.exec(text) ?? [];
    expect(/PUBLIC_ORIGIN: \S+:-(\S+)\}/.exec(text)?.[1]).toBe(`http://localhost:${port}`);
  });

  it('starts the app after its dependencies and lets it scale', () => {
    const app = block('app', 2).join('\n');
    expect(app).toContain('*needs');
    for (const needed of ['mongo', 'redis', 'suppliers'])
      expect(text).toMatch(new RegExp(`^ {4}${needed}: \\{ condition: service_healthy \\}$`, 'm'));
    expect(app).not.toMatch(/^ {4}(ports|container_name|hostname):/m);
  });

  it('has a proxy configuration with balanced braces', () => {
    const content = block('content', 4);
    const config = (content.length > 0 ? content : (text.split('content: |')[1]?.split('\n') ?? [])).join(
      '\n',
    );
    expect(config).toContain('reverse_proxy');
    expect(config).toMatch(/handle \/api\/packages\/\*\/orders \{\s+import instances uri_hash/);
    const count = (brace: string) => config.split(brace).length;
    expect(count('{')).toBe(count('}'));
  });
});
