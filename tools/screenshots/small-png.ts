import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
const colorsMax = 256;

/**
 * Reduces the picture to at most 256 colours with one byte per pixel, which is a third of the size. It reads PNG files
 * as Chromium writes them: 8 bits per channel, RGB or RGBA, not interlaced (PNG, third edition, W3C 2025).
 * @throws RangeError for any other kind.
 */
export function smallPng(png: Buffer): Buffer {
  const { width, height, channels, rows } = decode(png);
  const palette = new Palette(rows, channels);
  const dots = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      dots[y * (width + 1) + 1 + x] = palette.index(colorAt(rows, (y * width + x) * channels));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', palette.bytes()),
    chunk('IDAT', deflateSync(dots, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The most frequent colours; other colours are replaced by the nearest of them. */
class Palette {
  readonly #colors: number[];
  readonly #indexes: Map<number, number>;

  constructor(rows: Buffer, channels: number) {
    const counts = new Map<number, number>();
    for (let at = 0; at < rows.length; at += channels) {
      const color = colorAt(rows, at);
      counts.set(color, (counts.get(color) ?? 0) + 1);
    }
    const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
    this.#colors = byCount.slice(0, colorsMax);
    this.#indexes = new Map(this.#colors.map((color, index) => [color, index]));
  }

  index(color: number): number {
    let index = this.#indexes.get(color);
    if (index === undefined) {
      const distances = this.#colors.map((other) => distance(color, other));
      index = distances.indexOf(Math.min(...distances));
      this.#indexes.set(color, index);
    }
    return index;
  }

  bytes(): Buffer {
    return Buffer.from(this.#colors.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  }
}

function colorAt(rows: Buffer, at: number): number {
  return rows.readUIntBE(at, 3);
}

function distance(a: number, b: number): number {
  return (
    ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2
  );
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** The pixels, row by row, without filters. */
  readonly rows: Buffer;
}

function decode(png: Buffer): Picture {
  const packed: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') {
      packed.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
    }
  }
  const [width, height, bits, kind] = [png.readUInt32BE(16), png.readUInt32BE(20), png[24], png[25]];
  if (bits !== 8 || (kind !== 2 && kind !== 6) || png[28] !== 0)
    throw new RangeError('not a PNG of Chromium');
  const channels = kind === 2 ? 3 : 4;
  return {
    width,
    height,
    channels,
    rows: unfilter(inflateSync(Buffer.concat(packed)), width * channels, channels),
  };
}

/** Reverses the filter of each row; `step` is the size of a pixel in bytes. */
function unfilter(filtered: Buffer, rowSize: number, step: number): Buffer {
  const height = filtered.length / (rowSize + 1);
  const rows = Buffer.alloc(height * rowSize);
  for (let y = 0; y < height; y++) {
    const kind = filtered[y * (rowSize + 1)];
    for (let x = 0; x < rowSize; x++) {
      const at = y * rowSize + x;
      const left = x < step ? 0 : (rows[at - step] as number);
      const above = y === 0 ? 0 : (rows[at - rowSize] as number);
      const corner = x < step || y === 0 ? 0 : (rows[at - rowSize - step] as number);
      rows[at] = (filtered[at + y + 1] as number) + predicted(kind, left, above, corner);
    }
  }
  return rows;
}

function predicted(kind: number | undefined, left: number, above: number, corner: number): number {
  if (kind === 1) return left;
  if (kind === 2) return above;
  if (kind === 3) return (left + above) >> 1;
  if (kind !== 4) return 0;
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [size, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}
