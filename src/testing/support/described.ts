import { expect } from 'vitest';
import { errorKind } from '../../domain/errors.ts';
import { problemAnswer } from '../../http/api/answers.ts';
import type { Answer, Operation } from '../../http/openapi/operation.ts';
import { everyProblem } from '../../http/openapi/problems.ts';
import { allOperations as operations } from '../../http/openapi/table.ts';
import { problemContentType } from '../../http/problem.ts';

/** The operation that answers at this address, as the API's description has it. */
export function operationAt(method: string, url: string): Operation | undefined {
  const { pathname } = new URL(url, 'http://localhost');
  return operations.find(
    (operation) => operation.method === method.toLowerCase() && patternOf(operation.path).test(pathname),
  );
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
}

/** Fails unless an answer is one that the operation's description tells of, to the last member. */
export async function expectDescribed(operation: Operation, response: Response): Promise<void> {
  const type = response.headers.get('content-type') ?? undefined;
  const text = await response.clone().text();
  if (type === problemContentType) {
    const { code, status } = expectExactly(problemAnswer, JSON.parse(text));
    const told = [...operation.problems, ...everyProblem];
    expect(told, operation.operationId).toContain(code);
    expect(status).toBe(response.status);
    expect(errorKind(code).status).toBe(status);
    return;
  }
  const answer = operation.answers[response.status];
  expect(answer, `${operation.operationId} ${response.status} ${text}`).toBeDefined();
  const { schema, headers = {}, type: described = 'application/json' } = answer as Answer;
  for (const [name, { required }] of Object.entries(headers)) {
    if (required) expect(response.headers.has(name), name).toBe(true);
  }
  if (schema === undefined) return expect(text).toBe('');
  expect(type?.split(';')[0]).toBe(described);
  if (described === 'application/json') expectExactly(schema, JSON.parse(text));
}

/** Zod leaves out what it does not know: then the two differ. */
function expectExactly<Schema extends NonNullable<Answer['schema']>>(schema: Schema, value: unknown) {
  const parsed = schema.parse(value);
  expect(parsed).toEqual(value);
  return parsed as ReturnType<Schema['parse']>;
}
