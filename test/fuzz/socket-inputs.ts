import type { Prng } from '../simulation/prng.ts';
import { inPieces, mutateBytes } from './mutate-bytes.ts';
import type { RawInput } from './raw-input.ts';

const topics = [
  'packages',
  'package:1',
  'package:99',
  'order:7Q4M-9XKD-2VBN-H5TR&proof=AAAAAAAAAAAAAAAAAAAAAA',
  'admin',
  '',
  '%00',
  '__proto__',
];

const oddHeaders = [
  'Sec-WebSocket-Protocol: chat',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99',
  'Sec-WebSocket-Version: 8',
  'Sec-WebSocket-Version: 99',
  'Origin: https://evil.example',
  'Origin: http://localhost',
  'Sec-Fetch-Site: cross-site',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Upgrade: h2c',
];

/** A handshake, and frames of any kind after it. */
export function socketInput(prng: Prng): RawInput {
  const isBroken = prng.chance(0.3);
  const opening = handshake(prng, isBroken);
  const frames = Buffer.concat(Array.from({ length: prng.whole(0, 8) }, () => frame(prng)));
  const mutationsMade = prng.chance(0.3) ? prng.whole(1, 3) : 0;
  const rest = mutateBytes(frames, prng, mutationsMade);
  const pieces =
    prng.chance(0.3) && rest.length < 2000 ? inPieces(rest, prng) : rest.length > 0 ? [rest] : [];
  const waitsForAnswer = prng.chance(0.6);
  const ending = prng.chance(0.6) ? 'polite' : prng.pick(['at once', 'reset'] as const);
  return {
    what: isBroken ? 'a broken handshake' : `frames, ${mutationsMade} mutations`,
    writes: waitsForAnswer ? [opening, ...pieces] : [Buffer.concat([opening, ...pieces])],
    waitsForAnswer,
    ending,
  };
}

function handshake(prng: Prng, isBroken: boolean): Buffer {
  const topic = prng.chance(0.7) ? 'packages' : prng.pick(topics);
  const head = [
    `GET /live?topic=${topic} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.from(prng.bytes(16)).toString('base64')}`,
  ];
  if (isBroken) {
    if (prng.chance(0.5)) head.splice(prng.whole(1, head.length - 1), 1);
    if (prng.chance(0.5)) head.push(prng.pick(oddHeaders));
  }
  const bytes = Buffer.from([...head, '', ''].join('\r\n'), 'latin1');
  return isBroken ? mutateBytes(bytes, prng, prng.whole(0, 3)) : bytes;
}

const texts = [
  '',
  'hello',
  '{"type":"ping"}',
  '<div>',
  '\u00e9'.repeat(20),
  'x'.repeat(126),
  'x'.repeat(70_000),
];
const closeCodes = [
  0, 999, 1000, 1001, 1002, 1004, 1005, 1006, 1011, 1012, 1015, 2999, 3000, 4000, 4999, 5000, 65535,
];

/** One frame (RFC 6455, section 5.2), valid in most cases. */
function frame(prng: Prng): Buffer {
  const isFine = prng.chance(0.6);
  const opcode = isFine ? prng.pick([1, 1, 2, 8, 9, 10]) : prng.whole(0, 15);
  const isFinal = isFine || prng.chance(0.6);
  const reserved = isFine || prng.chance(0.8) ? 0 : prng.whole(1, 7);
  const isMasked = isFine || prng.chance(0.8);
  const payload = payloadOf(opcode, prng);
  const mask = Buffer.from(prng.bytes(4));
  const masked = isMasked ? Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] as number))) : payload;
  const claimed =
    isFine || prng.chance(0.8) ? payload.length : prng.pick([0, 125, 126, 65_535, 65_537, 2 ** 31]);
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  return Buffer.concat([
    Buffer.from([first]),
    lengthOf(claimed, isMasked, isFine ? 0 : prng.whole(0, 8)),
    ...(isMasked ? [mask] : []),
    masked,
  ]);
}

function payloadOf(opcode: number, prng: Prng): Buffer {
  if (opcode === 8) {
    const code = Buffer.alloc(2);
    code.writeUInt16BE(prng.pick(closeCodes));
    return prng.chance(0.2)
      ? code.subarray(0, prng.whole(0, 1))
      : Buffer.concat([code, Buffer.from(prng.pick(['', 'bye']))]);
  }
  if (prng.chance(0.3)) return Buffer.from(prng.bytes(prng.whole(0, 130)));
  const short = opcode >= 8 || prng.chance(0.97);
  return Buffer.from(prng.pick(short ? texts.slice(0, 5) : texts));
}

/** A length in 7, 16 or 64 bits; sometimes in more bits than needed. */
function lengthOf(length: number, isMasked: boolean, oddness: number): Buffer {
  const flag = isMasked ? 0x80 : 0;
  if (oddness === 1) return Buffer.from([flag | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  if (length < 126 && oddness !== 2) return Buffer.from([flag | length]);
  if (length < 65_536 && oddness !== 3) return Buffer.from([flag | 126, length >> 8, length & 0xff]);
  const wide = Buffer.alloc(9);
  wide[0] = flag | 127;
  wide.writeBigUInt64BE(BigInt(length), 1);
  return wide;
}
