import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../observability/log.ts';
import { onError } from './problem.ts';
import { bodyBytesMax, readForm, readJson } from './request.ts';

const schema = z.object({ name: z.string(), size: z.coerce.number().optional() });

const app = new Hono()
  .post('/json', async (c) => c.json({ value: await readJson(c, schema), polluted: 'polluted' in {} }))
  .post('/form', async (c) => c.json(await readForm(c, schema)));
app.onError(onError(silentLog));

async function send(path: string, body: RequestInit['body'], headers: Record<string, string>) {
  const init: RequestInit = { method: 'POST', body: body ?? null, headers, duplex: 'half' };
  const answer = await app.request(path, init);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

function sendJson(body: RequestInit['body'], headers: Record<string, string> = {}) {
  return send('/json', body, { 'Content-Type': 'application/json', ...headers });
}

/** A body of unknown length, as in a chunked request. */
function chunked(text: string, times = 1): ReadableStream<Uint8Array> {
  let left = times;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(Buffer.from(text));
      else controller.close();
    },
  });
}

describe('readJson', () => {
  it('returns the members that the schema defines, and drops other members', async () => {
    const { status, body } = await sendJson('{"name":"a","extra":{"deep":[1]},"constructor":1}');
    expect(status).toBe(200);
    expect(body).toEqual({ value: { name: 'a' }, polluted: false });
    expect((await sendJson(chunked('{"name":"a"}'))).status).toBe(200);
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.x+json'])(
    'accepts the content type %s',
    async (type) => {
      expect((await sendJson('{"name":"a"}', { 'Content-Type': type })).status).toBe(200);
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])(
    'refuses the content type %j with 415',
    async (type) => {
      expect((await sendJson('{"name":"a"}', { 'Content-Type': type })).status).toBe(415);
    },
  );

  it('refuses a compressed body with 415', async () => {
    expect((await sendJson('{"name":"a"}', { 'Content-Encoding': 'gzip' })).status).toBe(415);
  });

  it('refuses a body above the limit with 413, with and without Content-Length', async () => {
    const big = JSON.stringify({ name: 'x'.repeat(bodyBytesMax) });
    const told = await sendJson(big, { 'Content-Length': String(big.length) });
    expect(told).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect((await sendJson(chunked('x'.repeat(1024), 1_000_000))).status).toBe(413);
    const fits = JSON.stringify({ name: 'x'.repeat(bodyBytesMax - 11) });
    expect(Buffer.byteLength(fits)).toBe(bodyBytesMax);
    expect((await sendJson(chunked(fits))).status).toBe(200);
  });

  it.each([
    ['nothing', ''],
    ['malformed JSON', '{"name":'],
    ['two values', '{"name":"a"}{}'],
    ['a string', '"name"'],
    ['null', 'null'],
    ['a member of a wrong type', '{"name":1}'],
    ['duplicate members', '{"name":"a","name":"b"}'],
    ['duplicate members, one escaped', '{"name":"a","n\\u0061me":"b"}'],
    ['duplicate members further down', '{"name":"a","x":[{"y":1,"y":2}]}'],
    ['__proto__', '{"name":"a","__proto__":{"polluted":true}}'],
    ['__proto__, escaped', '{"name":"a","\\u005f_proto__":{"polluted":true}}'],
    ['deep nesting', `{"name":"a","x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['bytes that are not UTF-8', Buffer.from('7b226e616d65223a22ff227d', 'hex')],
  ])('refuses %s with 422 and an error message', async (_what, body) => {
    const answer = await sendJson(body);
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid' } });
    expect(answer.body.errors).toHaveLength(1);
    expect('polluted' in {}).toBe(false);
  });

  it('accepts equal names in different objects, and quotes and brackets in strings', async () => {
    const text = '{"name":"\\"{[\\\\","x":{"name":"]}"},"y":[{"name":1},{"name":2}]}';
    expect((await sendJson(text)).body).toEqual({ value: { name: '"{[\\' }, polluted: false });
  });
});

describe('readForm', () => {
  const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' };

  it('returns the sent fields and the parsed value', async () => {
    const { status, body } = await send('/form', 'name=a+b&size=2&other=%C3%A9', urlencoded);
    expect(status).toBe(200);
    expect(body).toEqual({
      fields: { name: 'a b', size: '2', other: 'é' },
      value: { name: 'a b', size: 2 },
    });
  });

  it('returns the schema’s errors and the sent fields', async () => {
    const { body } = await send('/form', 'size=2', urlencoded);
    expect(body).toMatchObject({ fields: { size: '2' }, errors: [{ path: 'name' }] });
  });

  it('reads multipart forms, without files', async () => {
    const form = new FormData();
    form.set('name', 'a');
    expect((await send('/form', form, {})).body).toMatchObject({ value: { name: 'a' } });
    form.set('name', new Blob(['x']), 'x.txt');
    expect((await send('/form', form, {})).status).toBe(422);
  });

  it.each([
    ['a field given twice', 'name=a&name=b', urlencoded, 422],
    ['__proto__', 'name=a&__proto__=b', urlencoded, 422],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff]), urlencoded, 422],
    ['broken multipart', 'junk', { 'Content-Type': 'multipart/form-data; boundary=x' }, 422],
    ['multipart without a boundary', 'junk', { 'Content-Type': 'multipart/form-data' }, 422],
    ['JSON', '{}', { 'Content-Type': 'application/json' }, 415],
    ['too much', `name=${'x'.repeat(bodyBytesMax)}`, urlencoded, 413],
  ])('refuses %s', async (_what, body, headers, status) => {
    expect((await send('/form', body, headers)).status).toBe(status);
  });
});

it('uses little memory for a body that arrives byte by byte', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const grownMax = 8 * 1024 * 1024;
  const before = kept();
  let grown = 0;
  const text = JSON.stringify({ name: 'a' }).padEnd(1_000);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at === text.length) {
        // Collected chunks are freed in the background, so look several times.
        for (let looks = 0; looks < 1_000; looks++) {
          grown = kept() - before;
          if (grown < grownMax) break;
          await sleep(10);
        }
        return controller.close();
      }
      // Like Node, enqueues a slice of a received packet. The slice keeps the whole packet in memory.
      const packet = Buffer.alloc(64 * 1024, text[at++]);
      controller.enqueue(packet.subarray(0, 1));
    },
  });
  expect(await sendJson(body)).toMatchObject({ status: 200, body: { value: { name: 'a' } } });
  expect(grown).toBeLessThan(grownMax);
});
