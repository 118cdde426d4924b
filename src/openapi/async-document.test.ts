import specifications from '@asyncapi/specs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fakeApp } from '../../test/support/fake-app.ts';
import { fakeOrder } from '../../test/support/fake-engine.ts';
import { schemaValidator } from '../../test/support/openapi-conformance.ts';
import { orderSignature } from '../http/order-access.ts';
import { checkHandshake } from '../realtime/handshake.ts';
import { asyncApiDocument } from './async-document.ts';

const document = JSON.parse(JSON.stringify(asyncApiDocument()));
const secret = 'a secret of this test';
const { id } = fakeOrder();
const proof = orderSignature(secret, id);

/** The kind of the topic that the server understands, or the code of its refusal. */
function understood(query: Record<string, string>): string {
  const headers = {
    host: 'localhost',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': `${'A'.repeat(22)}==`,
  };
  const url = `/live?${new URLSearchParams(query)}`;
  const topic = checkHandshake({ method: 'GET', url, headers }, { secret });
  return typeof topic === 'string' ? topic : topic.kind;
}

const isDescribed = (channel: string, query: Record<string, string>) =>
  z.fromJSONSchema(document.channels[channel].bindings.ws.query).safeParse(query).success;

interface Message {
  readonly payload: { readonly $ref: string };
  readonly examples: readonly { readonly payload: unknown }[];
}

/** What breaks the schema of AsyncAPI 3. */
function errorsOf(description: object): unknown[] {
  // The schema contains draft 7 of JSON Schema, which Ajv would otherwise add once more.
  const ajv = new Ajv({ meta: false, validateSchema: false, strict: false, validateFormats: false });
  const validate = ajv.compile(specifications.schemas['3.0.0'] as object);
  return validate(description) ? [] : (validate.errors ?? []);
}

function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === '$ref') yield String(member);
    else yield* referencesIn(member);
  }
}

/** Resolves a reference within the document. */
function find(reference: string): unknown {
  const path = reference.replace('#/', '').split('/');
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
}

describe('the description of the live updates', () => {
  it('is valid AsyncAPI 3, by the schema of its authors', () => {
    expect(errorsOf(document)).toEqual([]);
    const broken = structuredClone(document);
    broken.operations.sendOrder.action = 'say';
    expect(errorsOf(broken)).not.toEqual([]);
  });

  it('has no broken references', () => {
    const references = [...referencesIn(document)];
    expect(references.filter((reference) => find(reference) === undefined)).toEqual([]);
    expect(references).toContain('#/channels/order/messages/order');
  });

  it('has only examples that its schemas accept', () => {
    for (const { payload, examples } of Object.values<Message>(document.components.messages)) {
      const schema = schemaValidator(payload, document.components.schemas);
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) schema.parse(example.payload);
      expect(schema.safeParse({ order: {} }).success).toBe(false);
    }
  });

  it.each<[string, Record<string, string>, string]>([
    ['packages', { topic: 'packages', format: 'json' }, 'packages'],
    ['packages', { topic: 'packages:1.2.999999999999999', format: 'json' }, 'packages'],
    ['packages', { topic: 'package:3', format: 'json' }, 'package'],
    ['order', { topic: `order:${id}`, proof, format: 'json' }, 'order'],
    ['pages', { topic: 'packages:1', lang: 'de' }, 'packages'],
    ['pages', { topic: `order:${id}`, proof }, 'order'],
    ['pages', { topic: 'admin:1.2' }, 'admin'],
  ])('describes in channel %s the address %j, which the server understands', (channel, query, kind) => {
    expect([isDescribed(channel, query), understood(query)]).toEqual([true, kind]);
  });

  it.each<[string, Record<string, string>]>([
    ['packages', { topic: 'packages', format: 'xml' }],
    ['packages', { topic: 'packages:', format: 'json' }],
    ['packages', { topic: 'packages:1.0', format: 'json' }],
    ['packages', { topic: 'package:1000000000000000', format: 'json' }],
    ['packages', { topic: `packages:${Array.from({ length: 101 }, () => 1).join('.')}`, format: 'json' }],
    ['order', { topic: `order:${id}`, format: 'json' }],
    ['order', { topic: 'order:', proof, format: 'json' }],
    ['pages', { topic: 'orders' }],
    ['pages', { topic: 'admin', format: 'json' }],
  ])('does not describe in channel %s the address %j, which the server refuses', (channel, query) => {
    expect(isDescribed(channel, query)).toBe(false);
    expect(understood(query)).toMatch(/^unknown_(route|order)$/);
  });

  it('is served as JSON, with the public address of the server', async () => {
    const settings = { publicOrigin: 'https://tickets.example' };
    const answer = await fakeApp({ settings }).request('/asyncapi.json');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toEqual({
      ...document,
      servers: { tickets: { host: 'tickets.example', protocol: 'wss' } },
    });
  });
});
