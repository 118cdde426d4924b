import { expect } from 'vitest';
import type { Attempt } from './crowd.ts';

export async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/readyz`).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    },
    () => false,
  );
}

const definite = [201, 202, 502, 409];

/** While something is missing, purchases succeed, or get a problem that says when to come back. */
export function expectPatientAnswers(history: readonly Attempt[]): void {
  const others = history.filter(({ answer }) => answer !== undefined && !definite.includes(answer.status));
  for (const { answer } of others) {
    expect(answer).toMatchObject({
      status: 503,
      contentType: 'application/problem+json',
      retryAfter: expect.stringMatching(/^\d+$/),
      code: expect.stringMatching(/^(overloaded|no_owner|store_unavailable|not_ready)$/),
    });
  }
  const silent = history.filter(({ answer }) => answer === undefined);
  expect(silent).toEqual([]);
}

/** Orders and packages can be seen. */
export async function lookUpAnything(origin: string, accepted: Attempt | undefined): Promise<void> {
  const { order } = accepted?.answer ?? {};
  const email = encodeURIComponent(order?.email ?? '');
  const found = await fetch(`${origin}/api/orders/${order?.id}?email=${email}`);
  expect([found.status, ((await found.json()) as { id?: string }).id]).toEqual([200, order?.id]);
  const packages = await fetch(`${origin}/api/packages`);
  expect(packages.status).toBe(200);
  await packages.body?.cancel();
}
