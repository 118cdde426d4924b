import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

const [one, two, three] = ['a', 'b', 'c'].map((letter) => letter.repeat(20)) as [string, string, string];

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('ADMIN_TOKENS', () => {
  it('names operators, who may change everything or only read', () => {
    const ADMIN_TOKENS = `anna:${one},ben.b:${two}:read , C-3_po:${three}`;
    expect(readConfig({ ADMIN_TOKENS }).operators).toEqual([
      { name: 'anna', token: one, mayChange: true },
      { name: 'ben.b', token: two, mayChange: false },
      { name: 'C-3_po', token: three, mayChange: true },
    ]);
    expect(readConfig({ ADMIN_TOKENS })).not.toHaveProperty('adminToken');
  });

  it('stands beside ADMIN_TOKEN, whose operator is admin and may change everything', () => {
    const { operators, adminToken } = readConfig({ ADMIN_TOKEN: 'short', ADMIN_TOKENS: `anna:${one}` });
    expect(adminToken).toBe('short');
    expect(operators).toEqual([
      { name: 'admin', token: 'short', mayChange: true },
      { name: 'anna', token: one, mayChange: true },
    ]);
  });

  it.each([
    ['a token without a name', one, 'entry 1 is not <name>:<token>, or <name>:<token>:read'],
    ['an empty entry', `anna:${one},`, 'entry 2 is not <name>:<token>'],
    ['another right', `anna:${one},ben:${two}:write`, 'entry 2 is not <name>:<token>'],
    ['more parts', `anna:${one}:read:read`, 'entry 1 is not <name>:<token>'],
    ['a blank inside', `anna: ${one}`, 'entry 1 is not <name>:<token>'],
    ['an email as a name', `anna@example.com:${one}`, 'entry 1 is not <name>:<token>'],
    ['a name of 33 characters', `${'n'.repeat(33)}:${one}`, 'entry 1 is not <name>:<token>'],
    ['no name', `:${one}`, 'entry 1 is not <name>:<token>'],
    ['no token', 'anna:', 'entry 1 is not <name>:<token>'],
    ['a short token', `anna:${one.slice(1)}`, 'the token of entry 1 has fewer than 20 characters'],
    ['the name of ADMIN_TOKEN', `Admin:${one}`, 'entry 1 has the name admin, which is that of ADMIN_TOKEN'],
    ['a name twice', `anna:${one},ben:${two},ANNA:${three}`, 'entries 1 and 3 have the same name'],
    ['a token twice', `anna:${one},ben:${two},cara:${two}:read`, 'entries 2 and 3 have the same token'],
  ])('is refused with %s, and the message shows neither a token nor a name', (_, text, reason) => {
    const message = refusal({ ADMIN_TOKENS: text });
    expect(message.startsWith('ADMIN_TOKENS=(hidden) is not allowed: ')).toBe(true);
    expect(message).toContain(reason);
    expect(message).not.toMatch(/aaa|bbb|ccc|anna|ben/i);
    expect(message).not.toContain('\n');
  });

  it('reports all its mistakes at once', () => {
    const message = refusal({ ADMIN_TOKENS: `anna:short,${two},cara:${three},dora:${three}` });
    expect(message).toBe(
      'ADMIN_TOKENS=(hidden) is not allowed: the token of entry 1 has fewer than 20 characters; ' +
        'entry 2 is not <name>:<token>, or <name>:<token>:read for an operator who may only read; ' +
        'entries 3 and 4 have the same token.',
    );
  });

  it('may not repeat the token of ADMIN_TOKEN', () => {
    expect(refusal({ ADMIN_TOKEN: two, ADMIN_TOKENS: `anna:${one},ben:${two}:read` })).toBe(
      'ADMIN_TOKENS=(hidden) is not allowed: entry 2 has the token of ADMIN_TOKEN.',
    );
  });
});
