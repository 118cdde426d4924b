import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientTypes, clientTypesFile } from './client-types.ts';
import { typesOfSchemas } from './types-of-schemas.ts';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

describe('types of schemas', () => {
  it('declares the named schemas and those that they refer to', () => {
    const schemas = {
      Order: {
        type: 'object',
        properties: {
          id: { type: 'string', description: 'Its id.' },
          count: { type: 'integer' },
          of: { ...ref('Package'), description: 'What it is for.' },
          wait: {
            anyOf: [
              { type: 'object', properties: { s: { type: 'number' } }, required: ['s'] },
              { type: 'null' },
            ],
          },
          paused: { const: true },
          status: { enum: ['queued', "buyer's"] },
          codes: { type: 'array', items: { enum: ['a', 'b'] } },
          more: { type: 'object' },
          any: {},
        },
        required: ['id', 'of'],
      },
      Package: { allOf: [ref('Offer')] },
      Offer: { type: 'string', description: 'An offer.' },
      Other: { type: 'boolean' },
    };
    expect(typesOfSchemas(schemas, ['Order'])).toBe(`/** An offer. */
export type Offer = string;

export interface Order {
  /** Its id. */
  readonly id: string;
  readonly count?: number;
  /** What it is for. */
  readonly of: Package;
  readonly wait?: {
    readonly s: number;
  } | null;
  readonly paused?: true;
  readonly status?: 'queued' | 'buyer\\'s';
  readonly codes?: readonly ('a' | 'b')[];
  readonly more?: Readonly<Record<string, unknown>>;
  readonly any?: unknown;
}

export type Package = Offer;
`);
  });

  it('breaks long unions into lines', () => {
    const words = Array.from({ length: 20 }, (_, index) => `word-${index}`);
    expect(typesOfSchemas({ Word: { enum: words } }, ['Word'])).toMatch(
      /^export type Word =\n {2}\| 'word-0'\n/,
    );
  });

  it('fails for what it does not know', () => {
    expect(() => typesOfSchemas({ A: ref('B') }, ['A'])).toThrow('there is no schema B');
    expect(() => typesOfSchemas({ A: { type: 'date' } }, ['A'])).toThrow('unknown type');
  });
});

it('the types of the TypeScript client are those of the API', async () => {
  const committed = await readFile(join(import.meta.dirname, '../..', clientTypesFile), 'utf8');
  expect(committed === clientTypes(), 'npm run client:types').toBe(true);
});
