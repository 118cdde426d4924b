import type { Prng } from '../simulation/prng.ts';

export interface FuzzedBody {
  readonly headers: readonly string[];
  readonly bytes: Buffer;
}

const emails = [
  'ana@example.com',
  'ANA@EXAMPLE.COM ',
  'ana',
  '',
  'a@b',
  `${'a'.repeat(300)}@example.com`,
  `${'a'.repeat(65)}@example.com`,
  'ana@bücher.example',
  'ana@例え。テスト',
  'ana@b\ud800cher.example',
  'ana@example.com\u0000',
];
const numbers = [
  '1',
  '2',
  '3',
  '99',
  '0',
  '-1',
  '1.5',
  '1e999',
  '9007199254740993',
  '"1"',
  'null',
  '[1]',
  '{}',
];

/** A purchase as JSON, valid in most cases. */
function json(prng: Prng): string {
  const isFine = prng.chance(0.7);
  const packageId = isFine ? prng.pick(['1', '2', '3']) : prng.pick(numbers);
  const email = JSON.stringify(isFine ? `buyer${prng.whole(1, 50)}@example.com` : prng.pick(emails));
  const more = prng.chance(0.15) ? `,${prng.pick(oddMembers)}` : '';
  const reservation = prng.chance(0.2)
    ? ',"flight":"Flight-1","stay":"2022-08-09","flightTicketNumber":"F1"'
    : '';
  return `{"packageId":${packageId},"email":${email}${reservation}${more}}`;
}

const oddMembers = [
  '"packageId":1',
  '"__proto__":{"admin":true}',
  '"constructor":{"prototype":{}}',
  `"deep":${'['.repeat(40)}${']'.repeat(40)}`,
  `"deep":${'{"a":'.repeat(6000)}`,
  '"surrogate":"\\ud800"',
  `"long":"${'x'.repeat(5000)}"`,
  '"":""',
];

function form(prng: Prng): string {
  // A form cannot carry half a character.
  const email = encodeURIComponent(prng.pick(prng.chance(0.5) ? emails.slice(0, 1) : emails).toWellFormed());
  const odd = prng.chance(0.3) ? prng.pick(['&email=x', '&%=%', '&__proto__=1', '&key=%00', '&id=%ff']) : '';
  return `packageId=${prng.pick(['1', '2', '3', '99', 'x', ''])}&email=${email}&id=7Q4M-9XKD-2VBN-H5TR${odd}`;
}

function multipart(prng: Prng): string {
  const file = prng.chance(0.3) ? '; filename="x"' : '';
  const end = prng.chance(0.8) ? '--x--\r\n' : '';
  return `--x\r\nContent-Disposition: form-data; name="email"${file}\r\n\r\na@b.cd\r\n${end}`;
}

const kinds = [
  { type: 'application/json', text: json },
  { type: 'application/json; charset=utf-8', text: json },
  { type: 'application/problem+json', text: json },
  { type: 'application/x-www-form-urlencoded', text: form },
  { type: 'multipart/form-data; boundary=x', text: multipart },
  { type: 'text/plain', text: json },
  {
    type: 'application/json',
    text: (prng: Prng) => Buffer.from(prng.bytes(prng.whole(0, 60))).toString('latin1'),
  },
];

/** A body with headers for its length or chunks, which may be wrong. */
export function fuzzedBody(prng: Prng): FuzzedBody {
  const { type, text } = prng.pick(prng.chance(0.6) ? kinds.slice(0, 1) : kinds);
  let bytes = Buffer.from(text(prng), prng.chance(0.9) ? 'utf8' : 'latin1');
  if (prng.chance(0.01)) bytes = Buffer.concat([bytes, Buffer.alloc(prng.whole(10_000, 200_000), 0x20)]);
  const headers = [`Content-Type: ${type}`];
  if (prng.chance(0.02)) headers.push('Content-Encoding: gzip');
  if (prng.chance(0.25))
    return { headers: [...headers, 'Transfer-Encoding: chunked'], bytes: chunked(bytes, prng) };
  const length = prng.chance(0.9) ? bytes.length : prng.whole(0, bytes.length + 10);
  return { headers: [...headers, `Content-Length: ${length}`], bytes };
}

const oddSizes = ['', 'zz', '-1', '0x5', ' 5', 'ffffffffffffffff', '10000000000000000', '5;ext="', '5;\x00'];

function chunked(bytes: Buffer, prng: Prng): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const chunk = bytes.subarray(at, at + prng.whole(1, Math.max(1, bytes.length)));
    const size = prng.chance(0.05) ? prng.pick(oddSizes) : chunk.length.toString(16);
    const extension = prng.chance(0.05) ? `;${'x'.repeat(prng.whole(0, 200))}` : '';
    parts.push(Buffer.from(`${size}${extension}\r\n`, 'latin1'), chunk, Buffer.from('\r\n'));
    at += chunk.length;
  }
  const trailer = prng.chance(0.1) ? 'X-Trailer: 1\r\nContent-Length: 3\r\n' : '';
  if (prng.chance(0.9)) parts.push(Buffer.from(`0\r\n${trailer}\r\n`));
  return Buffer.concat(parts);
}
