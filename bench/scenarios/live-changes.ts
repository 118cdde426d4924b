import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../client/viewers-protocol.ts';

export interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Changes {
  /** When each purchase was sent, by `monotonicMs()`. */
  readonly madeAt: readonly number[];
  /** Purchases that were not answered 201. */
  readonly failed: number;
}

/** Sends purchases at a fixed rate whether or not earlier ones were answered; resolves when all are. */
export async function buyAtPace(
  origin: string,
  packageId: number,
  { perSecond, seconds }: Pace,
): Promise<Changes> {
  const madeAt: number[] = [];
  const answers: Promise<boolean>[] = [];
  const startedAt = monotonicMs();
  for (let index = 0; index < perSecond * seconds; index++) {
    await pause(Math.max(0, startedAt + (index * 1000) / perSecond - monotonicMs()));
    madeAt.push(monotonicMs());
    answers.push(buy(origin, packageId));
  }
  const isBought = await Promise.all(answers);
  return { madeAt, failed: isBought.filter((bought) => !bought).length };
}

async function buy(origin: string, packageId: number): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/api/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
      body: JSON.stringify({ packageId, email: 'viewer@buyers.example' }),
    });
    await response.text();
    return response.status === 201;
  } catch {
    return false;
  }
}
