import { z } from 'zod';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import { idempotencyKeyHeader } from '../http/api/headers.ts';
import { problemAnswer } from '../http/api/views.ts';
import { problemContentType, problemView } from '../http/problem.ts';
import type { Components } from './components.ts';
import type { Header, Parameter } from './operation.ts';

function header(description: string, schema: z.ZodType = z.string()): Header {
  return { description, schema };
}

const retryAfter = header('Seconds after which a retry may succeed.', z.int().min(0));
const allow: Header = { ...header('The methods of this resource.'), required: true };
const requestId = header('The id of this request in the log.');
const authenticate: Header = { ...header('How to authenticate.'), required: true };

export const orderLocationHeader: Header = {
  ...header('Where the order is found.', z.string().meta({ format: 'uri-reference' })),
  required: true,
};
export const preferenceAppliedHeader = header('Which preferences of `Prefer` were followed.');

/** The headers of answers under a rate limit (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitHeaders: Readonly<Record<string, Header>> = {
  RateLimit: header('`r` requests remain for the next `t` seconds. Absent when limits are off.'),
  'RateLimit-Policy': header('The limits: `q` requests per `w` seconds.'),
};

/** Errors that any request may get. */
export const everyProblem: readonly ErrorCode[] = [
  'bad_request',
  'method_not_allowed',
  'request_timeout',
  'headers_too_large',
  'internal',
];

/** The error answers by status: those of `codes`, and those that any request may get. */
export function problemAnswers(
  codes: readonly ErrorCode[],
  headers: Readonly<Record<string, Header>>,
  components: Components,
): Record<string, object> {
  // Errors that occur before a request is counted have no `RateLimit` headers.
  const isCounted = Object.keys(headers).length > 0;
  const byStatus = Map.groupBy(new Set([...codes, ...everyProblem]), statusOf);
  const answers = [...byStatus].map(([status, group]) => {
    const [first] = group as [ErrorCode];
    const isShared = group.length === 1 && everyProblem.includes(first) && !(isCounted && status >= 500);
    return [status, isShared ? { $ref: refTo(first) } : answerWith(group, headers, components)];
  });
  return Object.fromEntries(answers);
}

function statusOf(code: ErrorCode): number {
  return errorKind(code).status;
}

/** `components.responses`: the errors of every request, described once. */
export function sharedAnswers(components: Components): Record<string, object> {
  return Object.fromEntries(
    everyProblem.map((code) => [answerName(code), answerWith([code], {}, components)]),
  );
}

/** `bad_request`: `BadRequest` */
function answerName(code: ErrorCode): string {
  return code.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function refTo(code: ErrorCode): string {
  return `#/components/responses/${answerName(code)}`;
}

function answerWith(
  codes: readonly ErrorCode[],
  common: Readonly<Record<string, Header>>,
  components: Components,
): object {
  const headers: Record<string, Header> = { ...common };
  const waits = codes.map((code) => errorKind(code)).filter(({ retry }) => retry === 'later');
  if (waits.length > 0) {
    const isCertain =
      waits.length === codes.length && waits.every(({ retryAfterS }) => retryAfterS !== undefined);
    headers['Retry-After'] = { ...retryAfter, ...(isCertain ? { required: true } : {}) };
  }
  if (codes.includes('unauthorized')) headers['WWW-Authenticate'] = authenticate;
  if (codes.includes('method_not_allowed')) headers.Allow = allow;
  if (codes.some((code) => statusOf(code) >= 500)) headers['X-Request-Id'] = requestId;
  const code = { enum: codes };
  return {
    description: codes.map((name) => `\`${name}\`: ${errorKind(name).title}.`).join(' '),
    ...headersOf(headers, components),
    content: {
      [problemContentType]: {
        schema: { allOf: [components.answer(problemAnswer), { type: 'object', properties: { code } }] },
        examples: Object.fromEntries(codes.map((name) => [name, { value: problemView(name) }])),
      },
    },
  };
}

/** The member `headers` of an answer, if it has headers. */
export function headersOf(
  headers: Readonly<Record<string, Header>>,
  components: Components,
): { headers?: Record<string, object> } {
  const entries = Object.entries(headers).map(([name, { schema, ...rest }]) => [
    name,
    { ...rest, schema: components.answer(schema) },
  ]);
  return entries.length === 0 ? {} : { headers: Object.fromEntries(entries) };
}

/** The `Idempotency-Key` header. */
export function idempotencyKeyParameter(description: string): Parameter {
  return {
    in: 'header',
    name: 'Idempotency-Key',
    schema: idempotencyKeyHeader,
    description: `${description} Fresh and random for every new request; quotes around it do not count.`,
    example: '2f1c8c4e-6b8a-4f0e-9a53-0d5a8d6a7c11',
  };
}
