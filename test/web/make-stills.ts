/*
 * Makes the stills of the page for the README, from the free test pictures only:
 * `node test/web/make-stills.ts` writes docs/images/search.png and docs/images/duplicates.png.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { picture, startPage } from './page-under-test.ts';
import { picturesAndVariants } from './picture-variants.ts';

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const viewport = { width: 1320, height: 800 };

/** A palette keeps a still of photographs small, at no loss a reader would see. */
async function still(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await page.mouse.move(0, 0);
  const shot = await page.screenshot({ animations: 'disabled' });
  const file = await sharp(shot)
    .png({ palette: true, quality: 90, effort: 10 })
    .toFile(`${images}${name}.png`);
  process.stdout.write(`${name}.png: ${file.width} x ${file.height}, ${Math.round(file.size / 1000)} kB\n`);
}

await mkdir(images, { recursive: true });
const site = await startPage();
try {
  await site.ingest('photos', await picturesAndVariants(4));
  const { page } = await site.open('#/search?collection=photos', { viewport, deviceScaleFactor: 1 });
  const query = await sharp(await readFile(picture('cat.jpg')))
    .extract({ left: 30, top: 20, width: 390, height: 260 })
    .jpeg()
    .toBuffer();
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles({ name: 'cropped-cat.jpg', mimeType: 'image/jpeg', buffer: query });
  await page.locator('.results .card').first().waitFor();
  await still(page, 'search');

  await page.goto(`${site.url}/#/duplicates?collection=photos`);
  await page.getByRole('button', { name: 'Find duplicates' }).click();
  await page.locator('.group').first().waitFor();
  await page.evaluate(`document.querySelector('.groups-head').scrollIntoView(); scrollBy(0, -75)`);
  await still(page, 'duplicates');
} finally {
  await site.close();
}
