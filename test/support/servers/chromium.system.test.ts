import { expect, it } from 'vitest';
import { launchChromium } from './chromium.ts';

it('starts a real browser with separate contexts for two buyers', async () => {
  await using browser = await launchChromium({ viewport: { width: 360, height: 640 } });
  const page = await browser.context.newPage();
  await page.setContent('<title>before</title><script>document.title = "after " + innerWidth</script>');
  expect(await page.title()).toBe('after 360');
  const other = await browser.newContext({ javaScriptEnabled: false });
  const plain = await other.newPage();
  await plain.setContent('<title>before</title><script>document.title = "after"</script>');
  expect(await plain.title()).toBe('before');
});
