import { z } from 'zod';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import { problemAnswer } from '../http/api/views.ts';
import { problemContentType, problemView } from '../http/problem.ts';
import { answerSchema } from './components.ts';
import type { Header, Headers } from './operation.ts';

/** The headers of answers under a rate limit (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitHeaders: Headers = {
  RateLimit: { description: '`r` requests remain for the next `t` seconds. Absent when limits are off.' },
  'RateLimit-Policy': { description: 'The limits: `q` requests per `w` seconds.' },
};

/** Errors that any request may get. */
export const everyProblem: readonly ErrorCode[] = [
  'bad_request',
  'method_not_allowed',
  'request_timeout',
  'headers_too_large',
  'internal',
];

/** The error answers by status, for `codes` and for the errors that any request may get. */
export function problemAnswers(codes: readonly ErrorCode[], headers: Headers): Record<string, object> {
  // Errors that occur before a request is counted have no `RateLimit` headers.
  const isCounted = Object.keys(headers).length > 0;
  const byStatus = Map.groupBy(new Set([...codes, ...everyProblem]), statusOf);
  const answers = [...byStatus].map(([status, group]) => {
    const [first] = group as [ErrorCode];
    const isShared = group.length === 1 && everyProblem.includes(first) && !(isCounted && status >= 500);
    return [status, isShared ? { $ref: refTo(first) } : answerWith(group, headers)];
  });
  return Object.fromEntries(answers);
}

function statusOf(code: ErrorCode): number {
  return errorKind(code).status;
}

/** The content of `components.responses`: the errors of every request, described once. */
export function sharedAnswers(): Record<string, object> {
  return Object.fromEntries(everyProblem.map((code) => [answerName(code), answerWith([code], {})]));
}

/** The name of a shared answer: `bad_request` becomes `BadRequest`. */
function answerName(code: ErrorCode): string {
  return code.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function refTo(code: ErrorCode): string {
  return `#/components/responses/${answerName(code)}`;
}

function answerWith(codes: readonly ErrorCode[], common: Headers): object {
  const headers: Record<string, Header> = { ...common };
  const waits = codes.map((code) => errorKind(code)).filter(({ retry }) => retry === 'later');
  if (waits.length > 0) {
    const isCertain =
      waits.length === codes.length && waits.every(({ retryAfterS }) => retryAfterS !== undefined);
    const description = 'Seconds after which a retry may succeed.';
    headers['Retry-After'] = {
      description,
      schema: z.int().min(0),
      ...(isCertain ? { required: true } : {}),
    };
  }
  if (codes.includes('unauthorized')) {
    headers['WWW-Authenticate'] = { description: 'How to authenticate.', required: true };
  }
  if (codes.includes('method_not_allowed')) {
    headers.Allow = { description: 'The methods of this resource.', required: true };
  }
  if (codes.some((code) => statusOf(code) >= 500)) {
    headers['X-Request-Id'] = { description: 'The id of this request in the log.' };
  }
  const code = { enum: codes };
  return {
    description: codes.map((name) => `\`${name}\`: ${errorKind(name).title}.`).join(' '),
    ...headersOf(headers),
    content: {
      [problemContentType]: {
        schema: { allOf: [answerSchema(problemAnswer), { type: 'object', properties: { code } }] },
        examples: Object.fromEntries(codes.map((name) => [name, { value: problemView(name) }])),
      },
    },
  };
}

/** The member `headers` of an answer, if it has headers. */
export function headersOf(headers: Headers): { headers?: Record<string, object> } {
  const entries = Object.entries(headers).map(([name, { schema = z.string(), ...rest }]) => [
    name,
    { ...rest, schema: answerSchema(schema) },
  ]);
  return entries.length === 0 ? {} : { headers: Object.fromEntries(entries) };
}
