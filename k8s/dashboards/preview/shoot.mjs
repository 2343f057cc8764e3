// Serves the built pages and takes a picture of each dashboard: node shoot.mjs FOLDER FROM TO
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const [folder, from, to] = process.argv.slice(2);
const server = await preview({ root: import.meta.dirname, preview: { port: 0 } });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
let broken = 0;
for (const board of ['overview', 'checkbox', 'dead_letters']) {
  const page = await browser.newPage({ viewport: { width: 1504, height: 900 }, deviceScaleFactor: 0.8 });
  page.on('pageerror', (error) => console.error(`${board}: ${error}`));
  await page.goto(`${server.resolvedUrls.local[0]}?${new URLSearchParams({ board, from, to })}`);
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(1500);
  broken += await page.locator('.broken').count();
  await page.locator('main').screenshot({ path: `${folder}/${board}.png` });
}
await browser.close();
await server.close();
process.exit(broken ? 1 : 0);
