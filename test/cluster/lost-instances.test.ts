import { afterEach, beforeEach, expect, it } from 'vitest';
import { buy } from '../support/api-client.ts';
import { waitUntil } from '../support/buyers.ts';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { onSale } from '../support/server.ts';

const token = 'the-admin-token-of-this-cluster';
const ids = [1, 2, 3, 4, 5, 6];

let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({
    instances: 3,
    packages: ids.map((id) => onSale({ id, quota: 5 })),
    settings: {
      ADMIN_TOKEN: token,
      RATE_LIMIT: 'off',
      LEASE_TTL_MS: '2000',
      LOG_LEVEL: 'info',
      FLIGHT_FAILURE_RATE: '0',
    },
  });
});
afterEach(() => cluster?.end());

async function admin(at: ClusterInstance, method: string, path: string) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${at.origin}/api/admin${path}`, { method, headers });
  const text = await answer.text();
  // biome-ignore lint/suspicious/noExplicitAny: what is expected of it is said where it is used.
  return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as any };
}

async function lostAt(at: ClusterInstance) {
  const { body } = await admin(at, 'GET', '/instances');
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  return body.instances.filter((each: any) => each.state === 'lost');
}

/** The operators' overview, as a browser without JavaScript gets it. */
async function overviewOf(at: ClusterInstance): Promise<string> {
  const signedIn = await fetch(`${at.origin}/admin/log-in`, {
    method: 'POST',
    body: new URLSearchParams({ token }),
    redirect: 'manual',
  });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');
  return (await fetch(`${at.origin}/admin`, { headers: { cookie } })).text();
}

async function ownedBy({ id: instance }: ClusterInstance): Promise<number[]> {
  const owners = await Promise.all(ids.map(async (id) => [id, await cluster.ownerOf(id)] as const));
  return owners.filter(([, owner]) => owner?.id === instance).map(([id]) => id);
}

it('every instance lists a dead one until it is dismissed, but not one that drained or returned', async () => {
  for (const id of ids) await buy(cluster.instances[0]!.origin, id);
  const owned = new Map<ClusterInstance, number[]>();
  for (const each of cluster.instances) owned.set(each, await ownedBy(each));
  const [victim, one, two] = [...cluster.instances].sort(
    (a, b) => owned.get(b)!.length - owned.get(a)!.length,
  ) as [ClusterInstance, ClusterInstance, ClusterInstance];
  const [first] = owned.get(victim) as [number, ...number[]];
  await victim.kill();
  for (const survivor of [one, two]) {
    await waitUntil('it is lost', 20_000, async () => (await lostAt(survivor)).length > 0);
    expect(await lostAt(survivor)).toMatchObject([
      { id: victim.id, lost: { packages: owned.get(victim)!.length, firstPackages: owned.get(victim) } },
    ]);
    const overview = await overviewOf(survivor);
    expect([overview.includes(`${victim.id} is lost`), overview.includes('All is well')]).toEqual([
      true,
      false,
    ]);
  }

  // Somebody buys, and another instance takes the package over.
  await waitUntil('a sale', 10_000, async () => (await buy(one.origin, first)).status === 201);
  const taker = (await cluster.ownerOf(first)) as ClusterInstance;
  expect(taker.log()).toMatch(
    new RegExp(`"packageId":${first},"from":"${victim.id}",.*a package was taken over`),
  );
  await waitUntil('who took it over', 10_000, async () => {
    const [{ lost }] = await lostAt(two);
    return lost.takenOver.some((each: { instance: string }) => each.instance === taker.id);
  });

  // Who saw it die dies itself.
  const [{ lost }] = await lostAt(one);
  const [seer, last] = lost.noticedBy === one.id ? [one, two] : [two, one];
  await seer.kill();
  const lostIds = async (at: ClusterInstance) =>
    (await lostAt(at)).map(({ id }: { id: string }) => id).sort();
  await waitUntil('both are lost', 20_000, async () => (await lostIds(last)).length === 2);
  await seer.restart();
  await waitUntil('it is back', 20_000, async () => (await lostIds(last)).length === 1);
  await waitUntil('it knows as well', 20_000, async () => (await lostIds(seer)).length === 1);
  expect(await lostIds(seer)).toEqual([victim.id]);

  // A drained instance deregisters, so it is not lost.
  expect(await seer.terminate()).toBe(0);
  expect([...(await cluster.store.settingsNamed('instance:')).keys()].sort()).toEqual(
    [`instance:${last.id}`, `instance:${victim.id}`].sort(),
  );
  expect(await lostIds(last)).toEqual([victim.id]);

  expect(await admin(last, 'POST', `/instances/${victim.id}/dismiss`)).toMatchObject({ status: 200 });
  expect(await lostIds(last)).toEqual([]);
  expect((await overviewOf(last)).includes('is lost')).toBe(false);
  expect(await admin(last, 'POST', `/instances/${victim.id}/dismiss`)).toMatchObject({
    ...{ status: 404, body: { code: 'unknown_instance' } },
  });
  const { body } = await admin(last, 'GET', '/changes');
  expect(body.changes).toContainEqual(
    expect.objectContaining({ action: 'instance.dismiss', outcome: 'done', target: { instance: victim.id } }),
  );
});

it('Q6 a package that is deleted at one instance disappears at all of them', async () => {
  const [one] = cluster.instances as [ClusterInstance];
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const created = await fetch(`${one.origin}/api/admin/packages`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      id: 7,
      flight: 'Flight-9',
      stay: '2030-01-01',
      price: 1,
      quota: 1,
      listed: false,
    }),
  });
  expect(created.status).toBe(201);
  // It has an owner, which knows nothing of what happens at the store.
  await fetch(`${one.origin}/api/admin/packages/7`, {
    ...{ method: 'PATCH', headers, body: JSON.stringify({ version: 1, price: 2 }) },
  });
  for (const { origin } of cluster.instances) {
    const { packages } = (await (await fetch(`${origin}/api/packages`)).json()) as {
      packages: { id: number }[];
    };
    expect(packages.map(({ id }) => id)).toEqual(ids);
  }
  expect((await admin(one, 'DELETE', '/packages/7')).status).toBe(204);
  for (const { origin } of cluster.instances) {
    expect(await buy(origin, 7)).toMatchObject({ status: 404, code: 'unknown_package' });
    await waitUntil(
      'it is gone',
      5_000,
      async () => (await fetch(`${origin}/api/packages/7`)).status === 404,
    );
  }
  expect(await admin(one, 'DELETE', '/packages/1')).toMatchObject({ status: 204 });
  await buy(one.origin, 2);
  expect(await admin(one, 'DELETE', '/packages/2')).toMatchObject({ body: { code: 'package_not_empty' } });
});
