import type { Prng } from '../simulation/prng.ts';

/** Bytes with a meaning for parsers. */
const special = [
  0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2c, 0x3a, 0x5c, 0x7f, 0x80, 0xc0, 0xc3, 0xed, 0xff,
];

type Mutation = (bytes: Buffer, prng: Prng) => Buffer;

const mutations: readonly Mutation[] = [
  function flipBit(bytes, prng) {
    const at = prng.whole(0, bytes.length - 1);
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ (1 << prng.whole(0, 7));
    return changed;
  },
  function setByte(bytes, prng) {
    const changed = Buffer.from(bytes);
    changed[prng.whole(0, bytes.length - 1)] = prng.pick(special);
    return changed;
  },
  function insertByte(bytes, prng) {
    return spliced(bytes, prng.whole(0, bytes.length), 0, Buffer.from([prng.pick(special)]));
  },
  function insertNoise(bytes, prng) {
    return spliced(bytes, prng.whole(0, bytes.length), 0, Buffer.from(prng.bytes(prng.whole(1, 40))));
  },
  function deleteRange(bytes, prng) {
    return spliced(bytes, prng.whole(0, bytes.length), prng.whole(1, 20), Buffer.alloc(0));
  },
  function repeatRange(bytes, prng) {
    const from = prng.whole(0, bytes.length - 1);
    const part = bytes.subarray(from, from + prng.whole(1, 60));
    return spliced(bytes, from, 0, part);
  },
  function truncate(bytes, prng) {
    return bytes.subarray(0, prng.whole(1, bytes.length));
  },
];

/** Applies this many random mutations. */
export function mutateBytes(bytes: Buffer, prng: Prng, times: number): Buffer {
  let mutated = bytes;
  for (let time = 0; time < times && mutated.length > 0; time++)
    mutated = prng.pick(mutations)(mutated, prng);
  return mutated;
}

function spliced(bytes: Buffer, at: number, removed: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
}

/** Splits bytes into several writes. */
export function inPieces(bytes: Buffer, prng: Prng): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + prng.whole(1, Math.max(1, Math.ceil(bytes.length / 3)));
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
