import { expect, it } from 'vitest';
import { FrameReader, pong } from './frames.ts';

/** Records the events. */
function listen() {
  const heard: string[] = [];
  const listener = {
    text: (bytes: Buffer, start: number, end: number) =>
      heard.push(`text ${bytes.toString('utf8', start, end)}`),
    ping: (payload: Buffer) => heard.push(`ping ${payload.toString()}`),
    close: () => heard.push('close'),
  };
  return { heard, listener };
}

function frame(opcode: number, payload: string): Buffer {
  const { length } = payload;
  const head = length < 126 ? [0x80 | opcode, length] : [0x80 | opcode, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.from(payload)]);
}

const long = 'x'.repeat(3000);
const stream = Buffer.concat([frame(1, 'a'), frame(9, 'you?'), frame(1, long), frame(1, ''), frame(8, '')]);
const all = ['text a', 'ping you?', `text ${long}`, 'text ', 'close'];

it.each([stream.length, 2999, 7, 2, 1])('reads the same frames in pieces of %i bytes', (size) => {
  const { heard, listener } = listen();
  const reader = new FrameReader();
  // One buffer for every piece, as in production: the reader must not use it later.
  const shared = Buffer.alloc(size);
  for (let at = 0; at < stream.length; at += size) {
    const length = stream.copy(shared, 0, at, at + size);
    reader.read(shared, length, listener);
    shared.fill(0xff);
  }
  expect(heard).toEqual(all);
});

it('refuses frames that our server never sends', () => {
  const { listener } = listen();
  const masked = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);
  const fragment = Buffer.from([0x01, 0x01, 0x61]);
  for (const bytes of [masked, fragment]) {
    expect(() => new FrameReader().read(bytes, bytes.length, listener)).toThrow(RangeError);
  }
});

it('answers a ping with a masked pong of the same payload', () => {
  expect(pong(Buffer.from('you?'))).toEqual(
    Buffer.concat([Buffer.from([0x8a, 0x84, 0, 0, 0, 0]), Buffer.from('you?')]),
  );
});
