import { type ErrorCode, errorKind } from '../../domain/errors.ts';
import { problemAnswer } from '../api/answers.ts';
import { problemContentType } from '../problem.ts';
import type { Components } from './components.ts';
import { allow, authenticate, retryAfter } from './headers.ts';
import type { Header } from './operation.ts';

/** What any request may meet, whatever it asks for. */
export const everyProblem: readonly ErrorCode[] = [
  'bad_request',
  'unknown_route',
  'method_not_allowed',
  'headers_too_large',
  'rate_limited',
  'overloaded',
  'internal',
];

/** What every request with a body may meet. */
export const bodyProblems: readonly ErrorCode[] = ['invalid', 'body_too_large', 'unsupported_media_type'];

/** The name of the answer that every operation has as its `default`. */
const anyName = 'AnyProblem';

/** Answers of the catalogue by status, and under `default` what any request may meet. */
export function problemAnswers(
  codes: readonly ErrorCode[],
  headers: Readonly<Record<string, Header>>,
  components: Components,
): Record<string, object> {
  const statuses = new Set(codes.map(statusOf));
  // Where a status is told of, `default` is not looked at.
  const all = new Set([...codes, ...everyProblem.filter((code) => statuses.has(statusOf(code)))]);
  const answers = [...Map.groupBy(all, statusOf)].map(([status, group]) => [
    String(status),
    answerWith(group, headers, components),
  ]);
  return { ...Object.fromEntries(answers), default: { $ref: `#/components/responses/${anyName}` } };
}

function statusOf(code: ErrorCode): number {
  return errorKind(code).status;
}

/** `components.responses` */
export function sharedAnswers(components: Components): Record<string, object> {
  const headers = { Allow: allow, 'Retry-After': retryAfter };
  return { [anyName]: problemWith(everyProblem, headers, components) };
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
  return problemWith(codes, headers, components);
}

function problemWith(
  codes: readonly ErrorCode[],
  headers: Readonly<Record<string, Header>>,
  components: Components,
): object {
  const code = { enum: codes };
  return {
    description: codes.map((name) => `\`${name}\`: ${errorKind(name).title}.`).join(' '),
    ...headersOf(headers, components),
    content: {
      [problemContentType]: {
        schema: { allOf: [components.answer(problemAnswer), { properties: { code } }] },
      },
    },
  };
}

/** The member `headers` of an answer, where it has any. */
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
