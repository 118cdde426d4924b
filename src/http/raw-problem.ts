import { STATUS_CODES } from 'node:http';
import { type ErrorCode, errorKind } from '../domain/errors.ts';
import { inertPolicy } from './json.ts';
import { problemContentType, problemView } from './problem.ts';

/** A whole HTTP answer for a bare socket, after which its connection ends. */
export function rawProblem(code: ErrorCode, headers: readonly string[] = []): string {
  const body = JSON.stringify(problemView(code));
  const { status } = errorKind(code);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${problemContentType}`,
    `Content-Security-Policy: ${inertPolicy}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
