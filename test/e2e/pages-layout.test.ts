import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LongTextFixture, longFlightNames, startLongTextFixture } from '../support/long-text-fixture.ts';
import { type Chromium, launchChromium } from '../support/servers/chromium.ts';

let stage: LongTextFixture;
let browser: Chromium;

beforeAll(async () => {
  [stage, browser] = await Promise.all([startLongTextFixture(), launchChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await stage?.[Symbol.asyncDispose]();
});

const customers = (): Readonly<Record<string, string>> => ({
  order: '/order',
  ...Object.fromEntries(
    longFlightNames.map((name, index) => [`order, ${name}`, `/order?package=${1000 + 8 * index}`]),
  ),
  'order-queue': '/order-queue?package=1001',
  'query without orders': '/query',
  'unknown order': '/orders/7Q4M-9XKD-2VBN-H5TR',
  'unknown address': '/nothing-here',
  ...stage.orders,
  'query with orders': '/query',
});

const operators = (): Readonly<Record<string, string>> => ({
  'log in': '/admin',
  overview: '/admin',
  ...Object.fromEntries(longFlightNames.map((name, index) => [name, `/admin/packages/${1000 + 8 * index}`])),
  'new package': '/admin/packages/new',
  'wrong quota': '/admin/packages/1000/quota?quota=1',
  'confirm quota': '/admin/packages/1016/quota?quota=999999',
  'confirm pause': '/admin/packages/1032/pause',
  'confirm drain': '/admin/instances/instance-1/drain',
  orders: '/admin/orders',
  order: `/admin/orders/${stage.orderId}`,
  'confirm cancel': `/admin/orders/${stage.orderId}/cancel`,
  log: '/admin/log',
  erase: '/admin/erase',
});

const widths = [320, 390, 768, 1280];

/** One load of a page serves every size: only style sheets look at the size of the window. */
async function misfitsByWidth(page: Page, name = ''): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const width of widths) {
    await page.setViewportSize({ width, height: 780 });
    const misfits = await page.evaluate<string[]>(findMisfits);
    if (misfits.length > 0) found[`${name} ${width} px`.trim()] = misfits;
  }
  return found;
}

async function open(locale = 'en-GB'): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ locale });
  return { context, page: await context.newPage() };
}

describe('at 320 to 1280 px nothing overflows, is cut off or leaves its box', { timeout: 120_000 }, () => {
  test.each(['en-GB', 'de-DE'])('on the customers’ pages, %s', async (locale) => {
    const { context, page } = await open(locale);
    const found: Record<string, string[]> = {};
    for (const [name, address] of Object.entries(customers())) {
      await page.goto(new URL(address, stage.origin).href);
      for (const summary of await page.locator('summary').all()) await summary.click();
      Object.assign(found, await misfitsByWidth(page, name));
    }
    expect(found).toEqual({});
    await context.close();
  });

  test('in the messages after a form was sent', async () => {
    const { context, page } = await open();
    await page.goto(`${stage.origin}/query`);
    await page.getByLabel('Order number').fill('W'.repeat(60));
    await page.getByLabel('Email').fill('ana@example.com');
    await page.getByLabel('Email').press('Enter');
    await page.locator('#alert').waitFor();
    expect(await misfitsByWidth(page)).toEqual({});
    await page.goto(`${stage.origin}/order?package=1016`);
    await page.getByLabel('Your email').fill('ana@example.com');
    await page.getByLabel('Your email').press('Enter');
    await page.locator('#alert .others').waitFor();
    expect(await misfitsByWidth(page)).toEqual({});
    // The night follows the name and is not in a narrow column of its own.
    for (const width of widths) {
      await page.setViewportSize({ width, height: 780 });
      expect(await page.evaluate(brokenNights)).toEqual([]);
    }
    await context.close();
  });

  test('on the operators’ pages', async () => {
    const { context, page } = await open();
    const found: Record<string, string[]> = {};
    for (const [name, address] of Object.entries(operators())) {
      await page.goto(new URL(address, stage.origin).href);
      Object.assign(found, await misfitsByWidth(page, name));
      if (name !== 'log in') continue;
      await page.getByLabel('Admin token').fill(stage.token);
      await page.getByLabel('Admin token').press('Enter');
      await page.getByRole('heading', { name: 'Overview' }).waitFor();
    }
    expect(found).toEqual({});
    await context.close();
  });
});

/** A laptop, two phones, and a laptop at 200 % zoom. */
const windows = [
  [1280, 800],
  [390, 780],
  [320, 640],
  [640, 400],
] as const;

test.each(['en-GB', 'de-DE'])('price and button of a chosen trip are visible, %s', async (locale) => {
  const { context, page } = await open(locale);
  for (const [index, name] of longFlightNames.entries()) {
    await page.goto(`${stage.origin}/order?package=${1000 + 8 * index}`);
    for (const [width, height] of windows) {
      await page.setViewportSize({ width, height });
      const hidden = await page.evaluate<string[]>(outOfSight);
      expect({ name, width, hidden }).toEqual({ name, width, hidden: [] });
    }
  }
  await context.close();
});

test.each(windows)(
  'in a window of %i × %i px the bar covers no focused or scrolled-to element',
  async (...size) => {
    const [width, height] = size;
    const { context, page } = await open();
    await page.setViewportSize({ width, height });
    await page.goto(`${stage.origin}/order?package=1016`);
    const hidden: string[] = [];
    await page.keyboard.press('Tab');
    while (await page.evaluate('document.activeElement !== document.body')) {
      hidden.push(...(await page.evaluate<string[]>(`(${behindBar})(document.activeElement)`)));
      await page.keyboard.press('Tab');
    }
    hidden.push(...(await page.evaluate<string[]>(scrolledBehindBar)));
    expect(hidden).toEqual([]);
    await context.close();
  },
);

test('the email field is visible at once if there is room', async () => {
  const { context, page } = await open();
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${stage.origin}/order`);
  const box = await page.getByLabel('Your email').boundingBox();
  expect((box?.y ?? 999) + (box?.height ?? 0)).toBeLessThanOrEqual(800);
  expect(await page.evaluate(`(${behindBar})(document.getElementById('email'))`)).toEqual([]);
  await context.close();
});

/**
 * Text outside of the window or of a box that is drawn around it, text that is cut off, and whatever can be pressed
 * outside of the window.
 */
const findMisfits = `(() => {
  const found = new Set();
  const width = document.documentElement.clientWidth;
  const name = (element) => element.outerHTML.slice(0, 160);
  if (document.documentElement.scrollWidth > innerWidth) found.add('the document is ' + document.documentElement.scrollWidth + ' px wide');
  const isBox = (style) => style.borderTopWidth !== '0px' || style.backgroundColor !== 'rgba(0, 0, 0, 0)';
  const boxOf = (element) => {
    for (let box = element; box && box !== document.body; box = box.parentElement) {
      if (isBox(getComputedStyle(box)) && getComputedStyle(box).display !== 'inline') return box;
    }
  };
  for (const element of document.querySelectorAll('header *, main *')) {
    if (element.closest('.unseen, .skip, .brand span, svg, noscript, option, script') || !element.checkVisibility()) continue;
    const { overflowX, overflowY } = getComputedStyle(element);
    const rect = element.getBoundingClientRect();
    if (/hidden|clip/.test(overflowX + overflowY) && !element.matches('input, select') &&
      (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 2))
      found.add('cut off: ' + name(element));
    if (element.matches('a, button, input, select, summary, label') && (rect.left < -1 || rect.right > width + 1))
      found.add('outside: ' + name(element));
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || node.data.trim() === '') continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = boxOf(element)?.getBoundingClientRect();
      for (const { left, right, top, bottom } of range.getClientRects()) {
        if (left < -1 || right > width + 1) found.add('outside: ' + name(element));
        if (box && (left < box.left - 1 || right > box.right + 1 || top < box.top - 4 || bottom > box.bottom + 4))
          found.add('leaves its box: ' + name(element));
      }
    }
  }
  return [...found].slice(0, 8);
})()`;

/** Finds nights of other trips that wrap to more than two lines. */
const brokenNights = `[...document.querySelectorAll('.others .button bdi')].flatMap((name) => {
  const range = document.createRange();
  range.selectNodeContents(name.nextSibling);
  return range.getClientRects().length > 2 ? [name.parentElement.innerText] : [];
})`;

const outOfSight = `(() => {
  const inWindow = ({ left, right, top, bottom, width }) =>
    width > 0 && left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  return ['.choice-price', '#buy'].filter((selector) =>
    !inWindow(document.querySelector(selector).getBoundingClientRect()));
})()`;

/** Whether the bar covers an element. For a radio button the whole label counts. */
const behindBar = `(element) => {
  const seen = element.closest('.chip') ?? element;
  const bar = [...document.querySelectorAll('.buy-bar, .buy-inner')].find((each) => getComputedStyle(each).position === 'sticky');
  const { top, bottom } = seen.getBoundingClientRect();
  const isOut = top < 0 || bottom > innerHeight;
  const edge = bar?.getBoundingClientRect();
  const isBehind = bar && !bar.contains(seen) && bottom > edge.top + 1 && top < edge.bottom - 1;
  return isOut || isBehind ? [seen.outerHTML.slice(0, 160) + ' ' + [top, bottom, bar?.getBoundingClientRect().top]] : [];
}`;

const scrolledBehindBar = `[...document.querySelectorAll('.chip, .field input, .field-note')].flatMap((element) => {
  scrollTo(0, 0);
  element.scrollIntoView({ block: 'end' });
  return (${behindBar})(element);
})`;
