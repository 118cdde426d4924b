import { describe, expect, test } from 'vitest';
import { messagesIn, readAnswer, readRequest, writeAnswer, writeFrame, writeRequest } from './protocol.ts';

const request = { id: '1', from: 'a', until: 5, body: { kind: 'x' } };
const answer = { id: '1', body: null };

describe('a frame', () => {
  test('has the messages in their order, and a single message is sent as it is', () => {
    const texts = ['1', '2', '3'].map((id) => writeRequest({ ...request, id }));
    const [first = ''] = texts;
    expect(messagesIn(writeFrame(texts)).map(readRequest)).toMatchObject([
      { id: '1' },
      { id: '2' },
      { id: '3' },
    ]);
    expect(writeFrame([first])).toBe(first);
    expect(messagesIn(first).map(readRequest)).toEqual([{ ...request, frames: true }]);
  });

  test('loses only the message that cannot be read', () => {
    const text = writeFrame(['{"v":1}', writeAnswer(answer), 'null', '[]']);
    expect(messagesIn(text).map((message) => 'why' in readAnswer(message))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test.each(['', '{', '[{]', 'x'])('that is malformed has one message that cannot be read: %s', (text) => {
    expect(messagesIn(text).map(readRequest)).toEqual([{ why: 'it is not a message' }]);
  });
});

describe('a message', () => {
  const written = { v: 1, ...request };

  test.each([null, 7, 'x', [], {}, { ...written, v: '1' }, { ...written, id: 1 }, { ...written, from: 1 }])(
    'is none without a readable header: %j',
    (message) => {
      expect(readRequest(message)).toEqual({ why: 'it is not a message' });
      expect(readAnswer(message)).toEqual({ why: 'it is not a message' });
    },
  );

  test('that this release does not understand says whose it is', () => {
    expect(readRequest({ ...written, v: 2 })).toEqual({
      id: '1',
      from: 'a',
      why: expect.stringContaining('version 2'),
    });
    for (const members of [{ until: '5' }, { until: Number.POSITIVE_INFINITY }, { body: undefined }]) {
      const why = expect.stringContaining('members');
      expect(readRequest({ ...written, ...members })).toEqual({ id: '1', from: 'a', why });
    }
    expect(readRequest({ v: 1, id: '1', until: 5, body: 1 })).toMatchObject({
      id: '1',
      why: expect.anything(),
    });
    expect(readAnswer({ v: 1, id: '1' })).toMatchObject({ id: '1', why: expect.anything() });
  });

  test('of an older release does not say that its sender reads frames', () => {
    expect(readRequest(written)).toEqual({ ...request, frames: false });
    expect(readAnswer({ v: 1, ...answer })).toEqual({ ...answer, frames: false });
    expect(readAnswer(JSON.parse(writeAnswer({ id: '1', refused: 'why' })))).toEqual({
      ...{ id: '1', refused: 'why' },
      frames: true,
    });
  });
});
