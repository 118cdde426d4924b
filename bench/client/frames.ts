/** Receives frames. The bytes are valid only during the call. */
export interface FrameListener {
  text(bytes: Buffer, start: number, end: number): void;
  ping(payload: Buffer): void;
  close(): void;
}

const opcodes = { continuation: 0, text: 1, close: 8, ping: 9 } as const;

/**
 * Reads frames of a server (RFC 6455, section 5.2), which are unmasked, from pieces of any size. A frame that is
 * complete in its piece is read in place, so all sockets can share one read buffer.
 * @throws RangeError for frames that our server never sends: fragmented messages, and frames of 64 KiB or more.
 */
export class FrameReader {
  /** The beginning of a frame that is not complete yet. */
  #begun: Buffer | undefined;

  read(piece: Buffer, length: number, listener: FrameListener): void {
    let bytes = piece;
    let end = length;
    if (this.#begun !== undefined) {
      bytes = Buffer.concat([this.#begun, piece.subarray(0, length)]);
      end = bytes.length;
      this.#begun = undefined;
    }
    let at = 0;
    while (at < end) {
      const next = readFrame(bytes, at, end, listener);
      if (next === undefined) {
        this.#begun = Buffer.from(bytes.subarray(at, end));
        return;
      }
      at = next;
    }
  }
}

/** @returns the start of the next frame, or undefined if this one is not complete. */
function readFrame(bytes: Buffer, at: number, end: number, listener: FrameListener): number | undefined {
  if (at + 2 > end) return undefined;
  const first = bytes[at] as number;
  let size = bytes[at + 1] as number;
  let start = at + 2;
  if (size > 126) throw new RangeError('a frame that is masked, or larger than any of ours');
  if (size === 126) {
    if (at + 4 > end) return undefined;
    size = bytes.readUInt16BE(at + 2);
    start = at + 4;
  }
  const next = start + size;
  if (next > end) return undefined;
  const opcode = first & 0x0f;
  if (first < 0x80 || opcode === opcodes.continuation) throw new RangeError('a fragmented message');
  if (opcode === opcodes.text) listener.text(bytes, start, next);
  else if (opcode === opcodes.ping) listener.ping(bytes.subarray(start, next));
  else if (opcode === opcodes.close) listener.close();
  return next;
}

/** A client's answer to a ping. It is masked with zeros, which RFC 6455 allows and which needs no computation. */
export function pong(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
