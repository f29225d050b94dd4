import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allPictures,
  eventually,
  type PageUnderTest,
  picture,
  skipped,
  startPage,
  timeout,
} from './page-under-test.ts';

describe.skipIf(skipped)(`the page: search${skipped}`, { timeout }, () => {
  let site: PageUnderTest;
  let smallCat: Buffer;

  beforeAll(async () => {
    site = await startPage();
    smallCat = await sharp(picture('cat.jpg')).resize(200).webp({ quality: 60 }).toBuffer();
  }, timeout);
  afterAll(() => site?.close());

  const firstMatch = (page: Page) => page.locator('.results .card').first();
  const choose = (page: Page, name: string, body: Buffer) =>
    page.locator('input[type=file]').first().setInputFiles({ name, mimeType: '', buffer: body });
  /** A drop as the browser sends it, on whatever `selector` finds. */
  const drop = async (page: Page, selector: string, name: string, body: Buffer) => {
    const transfer = await page.evaluateHandle(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(body.toString('base64'))}), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], ${JSON.stringify(name)}));
      return transfer;
    })()`);
    await page.dispatchEvent(selector, 'dragover', { dataTransfer: transfer });
    await page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
  };

  it('starts empty, takes pictures with progress, and names the file that is none', async () => {
    const { page, complaints } = await site.open();
    await page.getByRole('heading', { name: 'Find pictures that look alike' }).waitFor();
    await page
      .getByLabel('Choose pictures')
      .and(page.locator('input'))
      .setInputFiles([
        { name: 'cat.jpg', mimeType: 'image/jpeg', buffer: await readFile(picture('cat.jpg')) },
        { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('not a picture at all') },
        { name: 'rocket.jpg', mimeType: 'image/jpeg', buffer: await readFile(picture('rocket.jpg')) },
      ]);
    const tray = page.getByRole('region', { name: 'Adding pictures' });
    await tray.getByRole('heading', { name: 'Added 2 pictures to photos' }).waitFor();
    await eventually(() => tray.locator('li').allTextContents()).toEqual([
      expect.stringMatching(/^notes\.jpg: ./),
    ]);
    await tray.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('link', { name: 'rocket.jpg' }).waitFor();
    expect(await page.locator('.card').count()).toBe(2);
    expect(new URL(page.url()).hash).toContain('collection=photos');
    // The refused picture is the one thing the browser itself reports.
    expect(complaints.filter((one) => !/status of 4\d\d/.test(one))).toEqual([]);
    await page.context().close();
  });

  it('finds the picture that another version was made from, and keeps its place over a reload', async () => {
    await site.ingest('photos', await allPictures());
    const { page, complaints } = await site.open('#/search?collection=photos');
    await choose(page, 'small-cat.webp', smallCat);
    await eventually(() => firstMatch(page).textContent()).toContain('cat.jpg');
    const heading = await page.getByRole('heading', { level: 1 }).textContent();
    expect(heading).toBe('1 similar picture');
    // Thumbnails of the server, never the pictures themselves.
    const shown = await firstMatch(page).locator('img').getAttribute('src');
    expect(shown).toContain(`${site.url}/v1/collections/photos/items/cat.jpg/thumbnail?sha256=`);
    await eventually(() => page.evaluate(`document.querySelector('.results img').naturalWidth`)).toBe(256);

    await page.reload();
    await eventually(() => firstMatch(page).textContent()).toContain('cat.jpg');
    expect(await page.getByText('small-cat.webp', { exact: true }).count()).toBe(1);
    await page.goBack();
    await page.getByText('Drop or paste a picture here').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('divides the matches by the slider and says the calibrated rate of false matches', async () => {
    const { models } = (await (await fetch(`${site.url}/v1/models`)).json()) as {
      models: { defaultThreshold: number; thresholds: { similarity: number; falsePositiveRate: number }[] }[];
    };
    const model = models[0];
    if (!model) throw new Error('the server has no model');
    const { page } = await site.open('#/search?collection=photos&a=item%3Acat.jpg');
    const slider = page.getByRole('slider', { name: 'Minimum similarity' });
    await page.getByRole('heading', { name: 'Nothing this similar' }).waitFor();
    expect(Number(await slider.inputValue())).toBeCloseTo(model.defaultThreshold, 3);
    const rate =
      model.thresholds.find((one) => one.similarity === model.defaultThreshold)?.falsePositiveRate ?? 0;
    const oneIn = new Intl.NumberFormat('en').format(Math.round(1 / rate));
    await page.getByText(`About 1 in ${oneIn} unrelated pictures look this similar.`).waitFor();

    await slider.focus();
    await page.keyboard.press('Home');
    await page.getByRole('heading', { level: 1, name: '11 similar pictures' }).waitFor();
    await page.getByText(/^More than 1 in/).waitFor();
    expect(new URL(page.url()).hash).toContain('min=0');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: '11 similar pictures' }).waitFor();
    await page.getByRole('button', { name: /^Back to the calibrated/ }).click();
    await page.getByRole('heading', { name: 'Nothing this similar' }).waitFor();
    await page.context().close();
  });

  it('follows the slider also where the browser takes no more addresses, as Safari after a hundred', async () => {
    const { page } = await site.open();
    await page.addInitScript(`
      const replace = history.replaceState;
      let calls = 0;
      history.replaceState = function (...given) {
        if (++calls > 100) throw new DOMException('The operation is insecure.', 'SecurityError');
        return replace.apply(this, given);
      };
    `);
    await page.goto(`${site.url}/#/search?collection=photos&a=item:cat.jpg&min=0.2`);
    await page.reload();
    const slider = page.getByRole('slider');
    await slider.focus();
    for (let presses = 0; presses < 120; presses++) await page.keyboard.press('ArrowRight');
    await eventually(() => page.locator('.slider output').textContent()).toBe('0.320');
    await page.context().close();
  });

  it('takes a drop anywhere on the page, and a paste', async () => {
    const { page } = await site.open('#/search?collection=photos');
    await page.getByText('Or start from one of these').waitFor();
    await drop(page, 'h2', 'dropped.webp', smallCat);
    await eventually(() => firstMatch(page).textContent()).toContain('cat.jpg');

    const rocket = await sharp(picture('rocket.jpg')).resize(180).png().toBuffer();
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(rocket.toString('base64'))}), (c) => c.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
      dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
    })()`);
    await eventually(() => firstMatch(page).textContent()).toContain('rocket.jpg');
    await page.context().close();
  });

  it('takes several pictures at once and says of each whether the collection has it', async () => {
    const { page, complaints } = await site.open('#/search?collection=photos');
    const unknown = await sharp({ create: { width: 240, height: 160, channels: 3, background: '#c33' } })
      .composite([
        { input: await sharp(picture('retina.jpg')).resize(60).negate().png().toBuffer(), left: 9, top: 50 },
      ])
      .jpeg()
      .toBuffer();
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([
        { name: 'small-cat.webp', mimeType: 'image/webp', buffer: smallCat },
        { name: 'unknown.jpg', mimeType: 'image/jpeg', buffer: unknown },
        { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('nothing') },
      ]);
    const badges = page.locator('.strip-picture .badge');
    await eventually(() => badges.allTextContents()).toEqual([
      expect.stringMatching(/^similar/),
      expect.stringMatching(/^new/),
      'problem',
    ]);
    await page.getByText('1 of 3 pictures').waitFor();
    await eventually(() => firstMatch(page).textContent()).toContain('cat.jpg');
    await page.locator('.strip-picture').nth(1).click();
    await page.getByRole('heading', { name: 'Nothing this similar' }).waitFor();
    expect(await badges.count()).toBe(3);
    await page.reload();
    await eventually(() => badges.nth(1).textContent()).toMatch(/^new/);
    expect(complaints.filter((one) => !/status of 4\d\d|blob:/.test(one))).toEqual([]);
    await page.context().close();
  });

  it('enlarges a result beside the picture searched with; arrows go on, Escape goes back', async () => {
    const { page, complaints } = await site.open('#/search?collection=photos&a=item%3Acat.jpg&min=0');
    await firstMatch(page).waitFor();
    const [first, second] = await page.locator('.results .card-name').allTextContents();
    await page.getByRole('button', { name: `Enlarge ${first}` }).click();
    const names = page.getByRole('dialog').locator('.viewer-name');
    await eventually(() => names.allTextContents()).toEqual(['cat.jpg', first]);
    await page.keyboard.press('ArrowRight');
    await eventually(() => names.allTextContents()).toEqual(['cat.jpg', second]);
    await page.reload();
    await eventually(() => names.allTextContents()).toEqual(['cat.jpg', second]);
    await page.keyboard.press('Escape');
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    expect(new URL(page.url()).hash).not.toContain('look=');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('deletes an enlarged result from the collection, after a question', async () => {
    const { page, complaints } = await site.open('#/search?collection=photos&a=item%3Acat.jpg&min=0');
    await firstMatch(page).waitFor();
    const before = await page.locator('.results .card-name').allTextContents();
    await page.getByRole('button', { name: `Enlarge ${before[1]}` }).click();
    await page.getByRole('button', { name: 'Delete from the collection …' }).click();
    const question = page.getByRole('dialog', { name: `Delete “${before[1]}” from “photos”?` });
    await question.waitFor();
    // The arrow keys of the dialog below do not move what is asked about.
    await page.keyboard.press('ArrowRight');
    await question.getByRole('button', { name: 'Delete it' }).click();
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    await eventually(() => page.locator('.results .card-name').allTextContents()).toEqual(
      before.filter((id) => id !== before[1]),
    );
    const body = await readFile(picture(before[1] ?? ''));
    await site.ingest('photos', [{ id: before[1] ?? '', body }]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says plainly what is wrong with a file, a link or a server that is gone', async () => {
    const { page } = await site.open('#/search?collection=photos');
    await choose(page, 'notes.jpg', Buffer.from('just some text'));
    const alert = page.getByRole('alert');
    await eventually(() => alert.textContent()).toMatch(/picture-unsupported-format/);

    await page.goto(`${site.url}/#/search?collection=photos&a=kept%3Aelsewhere`);
    await eventually(() => alert.first().textContent()).toMatch(/dropped in another browser/);

    await page.goto(`${site.url}/#/search?collection=nowhere`);
    await page.getByRole('heading', { name: 'There is no collection “nowhere” yet' }).waitFor();

    await page.route('**/query*', (route) => route.abort());
    await page.goto(`${site.url}/#/search?collection=photos&a=item%3Acat.jpg`);
    await eventually(() => alert.textContent()).toMatch(/The server does not answer/);
    await page.unroute('**/query*');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.rest .card').first().waitFor();
    await page.context().close();
  });

  it('works by keyboard alone and within a phone’s width', async () => {
    const { page } = await site.open('#/search?collection=photos', {
      viewport: { width: 360, height: 740 },
      colorScheme: 'dark',
    });
    await page.getByRole('link', { name: 'cat.jpg' }).waitFor();
    await page.keyboard.press('Tab');
    await eventually(() => page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    for (let presses = 0; presses < 12; presses++) {
      if ((await page.evaluate('document.activeElement.textContent')) === 'cat.jpg') break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.locator('.rest .card').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.context().close();
  });
});
