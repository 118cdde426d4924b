import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buy } from '../support/api-client.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let browser: Chromium;
let server: TestServer;
let context: BrowserContext;
let page: Page;
let id: string;

beforeAll(async () => {
  browser = await launchChromium();
  server = await startServer({ settings: { FLIGHT_FAILURE_RATE: '0' }, packages: [onSale({ quota: 100 })] });
  id = (await buy(server.origin, 1, { email: 'ana@example.com' })).order?.id ?? '';
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ javaScriptEnabled: false });
  page = await context.newPage();
  await page.goto(`${server.origin}/query`);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function lookUp(number: string, email: string): Promise<number | undefined> {
  await page.getByLabel('Order number').fill(number);
  await page.getByLabel('Email').fill(email);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.getByRole('button', { name: 'Show the order' }).click(),
  ]);
  return answer.status();
}

test.each<[string, (id: string) => string]>([
  ['as it is', (id) => id],
  ['in lower case without dashes', (id) => id.toLowerCase().replaceAll('-', '')],
  ['with blanks around and within', (id) => `  ${id.replaceAll('-', ' ')} `],
  ['in a sentence', (id) => `Your order number is ${id}.`],
  ['as the address of its page', (id) => `https://tickets.example/orders/${id}?from=queue`],
])('an order number pasted %s is understood', async (_how, paste) => {
  expect(await lookUp(paste(id), ' Ana@Example.com ')).toBe(303);
  await page.getByRole('heading', { name: 'Your trip is booked' }).waitFor();
  expect(page.url()).toBe(`${server.origin}/orders/${id}`);
});

test('Q10 every miss gets the same answer, and the form keeps its input', async () => {
  const misses = [
    [id, 'somebody.else@example.com'],
    ['7Q4M-9XKD-2VBN-H5TR', 'ana@example.com'],
    ['nonsense', 'ana@example.com'],
    [id, 'ana@example'],
  ] as const;
  const answers = new Set<string>();
  for (const [number, email] of misses) {
    expect(await lookUp(number, email)).toBe(404);
    expect(await page.getByLabel('Order number').inputValue()).toBe(number);
    expect(await page.getByLabel('Email').inputValue()).toBe(email);
    answers.add((await page.locator('main').innerHTML()).replaceAll(/ value="[^"]*"/g, ''));
  }
  expect(answers.size).toBe(1);
  await page.locator('#alert:focus').getByText('We found no order with this number and email.').waitFor();
});

test('the last 20 orders of this browser are listed, newest first', async () => {
  const buyHere = async () => {
    await page.goto(`${server.origin}/order?package=1`);
    await page.getByLabel('Your email').fill('ana@example.com');
    await page.locator('#buy').click();
    const yes = page.getByRole('button', { name: 'Yes, buy another' });
    const booked = page.getByRole('heading', { name: 'Your trip is booked' });
    await yes.or(booked).waitFor();
    if (await yes.isVisible()) await yes.click();
    await booked.waitFor();
    return new URL(page.url()).pathname;
  };
  const bought: string[] = [];
  for (let count = 0; count < 22; count++) bought.unshift(await buyHere());
  await page.goto(`${server.origin}/query`);
  const links = await page
    .locator('.recent-link')
    .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  expect(links).toEqual(bought.slice(0, 20));
});

test('a cookie with a wrong signature shows no orders', async () => {
  const headers = { cookie: `orders=${encodeURIComponent(`${id}.forged`)}` };
  const text = await (await fetch(`${server.origin}/query`, { headers })).text();
  expect(text).not.toContain(id);
});
