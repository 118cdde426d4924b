import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingNames } from '../../src/config/config.ts';

const root = join(import.meta.dirname, '../..');
const chart = join(root, 'deploy/helm/ticket-booking');
const read = (name: string) => readFileSync(join(chart, name), 'utf8');

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}
const schema = JSON.parse(read('values.schema.json')) as Schema;
const { settings, secrets } = schema.properties ?? {};
const plain = Object.keys(settings?.properties ?? {});
const secret = Object.keys(secrets?.properties?.from?.properties ?? {});

/** What shows in its text. chart.long.test.ts has a real Helm render it. */
describe('the Helm chart', () => {
  it('has the version of the program', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(read('Chart.yaml')).toMatch(`\nversion: ${version}\nappVersion: ${version}\n`);
  });

  it('knows every setting of the program and no other', () => {
    /** Set by the chart, and left to its default: every address of the pod. */
    const own = ['PORT', 'INSTANCE_ID', 'HOST'];
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    // Variables of OpenTelemetry that the program does not read itself.
    const openTelemetry = [...example.matchAll(/^#?(OTEL_[A-Z_]+)=/gm)].map(([, name]) => name as string);
    expect([...plain, ...secret, ...own].toSorted()).toEqual(
      [...new Set([...settingNames, ...openTelemetry])].toSorted(),
    );
  });

  it('takes secrets only from a Secret', () => {
    expect(secret).toEqual(expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'SECRET', 'ADMIN_TOKEN']));
    expect(plain.filter((name) => /SECRET|TOKEN|PASSWORD|HEADERS/.test(name))).toEqual([]);
    const passedOn = /define "ticket-booking.serverSecrets" -\}\}\n(.*)\n/.exec(
      read('templates/_helpers.tpl'),
    );
    expect(passedOn?.[1]?.split(' ')).toEqual(secret);
    for (const name of secret) expect(read('values.yaml')).toContain(name);
  });
});
