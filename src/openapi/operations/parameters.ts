import { z } from 'zod';
import { idempotencyKeyHeader } from '../../http/api/idempotency-key.ts';
import type { Parameter } from '../operation.ts';

export const orderIdParameter: Parameter = {
  in: 'path',
  name: 'id',
  schema: z.string(),
  description: "The order's id; its case and its dashes do not matter.",
  example: '7Q4M-9XKD-2VBN-H5TR',
};

/** The header that makes a request repeatable. */
export function idempotencyKeyParameter(description: string): Parameter {
  return {
    in: 'header',
    name: 'Idempotency-Key',
    schema: idempotencyKeyHeader,
    description: `${description} Fresh and random for every new request; quotes around it do not count.`,
    example: '2f1c8c4e-6b8a-4f0e-9a53-0d5a8d6a7c11',
  };
}
