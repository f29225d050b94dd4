import { readFile } from 'node:fs/promises';
import { createApiKey } from '@lookalike/api';
import { LookalikeClient } from '@lookalike/client';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madePage } from '../made-page.ts';
import {
  allPictures,
  eventually,
  type PageUnderTest,
  picture,
  skipped,
  startPage,
  timeout,
} from './page-under-test.ts';

const distances = async (page: Page) =>
  Object.fromEntries(
    await Promise.all(
      (await page.locator('.distances > div').all()).map(async (row) => [
        await row.locator('dt').textContent(),
        Number(await row.locator('dd').first().textContent()),
      ]),
    ),
  ) as Record<string, number>;

describe.skipIf(skipped)(`the page: compare and collections${skipped}`, { timeout }, () => {
  let site: PageUnderTest;
  let brightCat: Buffer;

  beforeAll(async () => {
    site = await startPage();
    await site.ingest('photos', await allPictures());
    brightCat = await sharp(picture('cat.jpg'))
      .modulate({ brightness: 1.15 })
      .jpeg({ quality: 70 })
      .toBuffer();
  }, timeout);
  afterAll(() => site?.close());

  it('tells of a collection that cannot be read, and shows the others', async () => {
    const key = `collections/torn/log/${'1'.padStart(20, '0')}`;
    await site.objects.put(key, new Uint8Array(9));
    const { page } = await site.open('#/collections');
    await page.getByRole('alert').filter({ hasText: `torn: ` }).filter({ hasText: key }).waitFor();
    await page.getByRole('main').getByText('photos').first().waitFor();
    await site.objects.delete([key]);
    await page.reload();
    await page.getByRole('main').getByText('photos').first().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('compares two files: three distances, similarity and verdict are the server’s', async () => {
    const form = new FormData();
    form.set('a', new Blob([await readFile(picture('cat.jpg'))]));
    form.set('b', new Blob([Uint8Array.from(brightCat)]));
    const expected = (await (
      await fetch(`${site.url}/v1/compare`, { method: 'POST', body: form })
    ).json()) as Record<'euclidean' | 'cosine' | 'absolute' | 'similarity', number>;

    const { page, complaints } = await site.open('#/compare');
    const file = (label: string) => page.getByLabel(label).and(page.locator('input'));
    await file('Choose the first picture').setInputFiles(picture('cat.jpg'));
    await page.getByRole('img', { name: 'cat.jpg' }).waitFor();
    await file('Choose the second picture').setInputFiles({
      name: 'bright.jpg',
      mimeType: 'image/jpeg',
      buffer: brightCat,
    });
    await page.getByRole('heading', { name: 'The same picture, or nearly' }).waitFor();
    const shown = await distances(page);
    expect(shown['Cosine distance']).toBeCloseTo(expected.cosine, 3);
    expect(shown['Euclidean distance']).toBeCloseTo(expected.euclidean, 3);
    expect(shown['Absolute distance']).toBeCloseTo(expected.absolute, 3);
    expect(await page.locator('.figure').textContent()).toContain(expected.similarity.toFixed(3));

    await page.reload();
    await page.getByRole('heading', { name: 'The same picture, or nearly' }).waitFor();
    await page.getByRole('link', { name: 'Clear the second picture' }).click();
    await file('Choose the second picture').setInputFiles(picture('rocket.jpg'));
    await page.getByRole('heading', { name: 'Different pictures' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says what decided where it was not the similarity', async () => {
    const { page, complaints } = await site.open('#/compare');
    const [a, b] = [await madePage(1), await madePage(2)];
    const chosen = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/png', buffer });
    const file = (label: string) => page.getByLabel(label).and(page.locator('input'));
    await file('Choose the first picture').setInputFiles([chosen('a.png', a), chosen('b.png', b)]);
    await page.getByRole('heading', { name: 'Different pictures' }).waitFor();
    await page.getByText('Both are pages of text or the like').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('compares two files by another encoder where asked, an item only by that of its collection', async () => {
    const { page, complaints } = await site.open('#/compare?collection=photos');
    const file = (label: string) => page.getByLabel(label).and(page.locator('input'));
    await file('Choose the first picture').setInputFiles([picture('cat.jpg'), picture('rocket.jpg')]);
    await page.getByRole('heading', { name: 'Different pictures' }).waitFor();
    const encoder = page.getByLabel('Encoder');
    await encoder.selectOption('one-shot-characters');
    await page.getByText(/get past it \(one-shot-characters\)/).waitFor();
    await page.getByRole('heading', { name: /^(The same|Different)$/ }).waitFor();
    await page.goto(`${site.url}/#/compare?collection=photos&a=item%3Acat.jpg&model=one-shot-characters`);
    await eventually(() => encoder.isDisabled()).toBe(true);
    expect(await encoder.inputValue()).toBe('near-duplicate');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('compares a file with an item of the collection, from a search result', async () => {
    const { page } = await site.open('#/search?collection=photos');
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'bright.jpg', mimeType: 'image/jpeg', buffer: brightCat });
    await page.getByRole('link', { name: 'Compare with cat.jpg' }).click();
    await page.getByRole('heading', { name: 'The same picture, or nearly' }).waitFor();
    const [first, second] = await page.locator('.compare-side .card-name').allTextContents();
    expect([first, second]).toEqual(['bright.jpg', 'cat.jpg']);
    await page.context().close();
  });

  it('shows a collection’s figures and measures its recall', async () => {
    const stats = (await (await fetch(`${site.url}/v1/collections/photos/stats`)).json()) as {
      items: number;
      segments: number;
      tailRows: number;
    };
    const { page, complaints } = await site.open('#/collections?collection=photos');
    const figure = (name: string) =>
      page.locator('.figures > div').filter({ hasText: name }).locator('dd').first();
    expect(await figure('Rows').textContent()).toBe(String(stats.items));
    expect(await figure('Segments').textContent()).toBe(String(stats.segments));
    expect(await figure('Stored').textContent()).toMatch(/^[1-9][\d.]* [kM]?B$/);
    await page.getByRole('button', { name: 'Measure' }).click();
    await eventually(() => page.locator('.figure').textContent()).toMatch(/^100\.0 % recall@10$/);
    expect(await figure('Tail').textContent()).toBe(String(stats.tailRows));
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('creates a collection, chooses it, and refuses a bad name before sending it', async () => {
    const { page } = await site.open('#/collections');
    const name = page.getByRole('textbox', { name: 'Name' });
    await name.fill('Holiday 2026');
    await page.getByRole('button', { name: 'Create' }).click();
    expect(await page.evaluate(`document.querySelector('input:invalid') !== null`)).toBe(true);
    await name.fill('Holiday-2026');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Holiday-2026' }).waitFor();
    expect(await page.locator('.collection-picker select').inputValue()).toBe('Holiday-2026');
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await page.getByRole('heading', { name: '“Holiday-2026” is empty' }).waitFor();
    await page.locator('.collection-picker select').selectOption('photos');
    await page.getByRole('link', { name: 'cat.jpg' }).waitFor();
    expect(new URL(page.url()).hash).toContain('collection=photos');

    await page.goto(`${site.url}/#/collections?collection=Holiday-2026`);
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Delete the collection' }).click();
    await page.getByRole('heading', { level: 2, name: 'photos' }).waitFor();
    expect((await fetch(`${site.url}/v1/collections/Holiday-2026`)).status).toBe(404);
    await page.context().close();
  });

  it('remembers of two pictures of the collection that they are different, and takes it back', async () => {
    const { page, complaints } = await site.open(
      '#/compare?collection=photos&a=item%3Acat.jpg&b=item%3Arocket.jpg',
    );
    await page.getByRole('button', { name: 'These are different pictures' }).click();
    await page.getByText('Remembered: no search for duplicates').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('To be remembered by the searches').waitFor();
    await page.getByRole('link', { name: 'Swap' }).click();
    await eventually(() => page.locator('.compare-side .card-name').allTextContents()).toEqual([
      'rocket.jpg',
      'cat.jpg',
    ]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('needs nothing but its own server, in any view', async () => {
    const { page } = await site.open('#/collections');
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url) && !/^(data|blob):/.test(request.url()))
        elsewhere.push(request.url());
    });
    for (const [hash, ready] of [
      ['#/search?collection=photos', '.card img'],
      ['#/search?collection=photos&a=item%3Acat.jpg', '.results .card img'],
      ['#/compare?collection=photos&a=item%3Acat.jpg&b=item%3Arocket.jpg', '.verdict'],
      ['#/duplicates?collection=photos', '.duplicates-controls'],
      ['#/collections?collection=photos', '.figures'],
    ] as const) {
      await page.goto(`${site.url}/${hash}`);
      await page.reload();
      await page.locator(ready).first().waitFor();
    }
    expect(elsewhere).toEqual([]);
    await page.context().close();
  });

  it('shows more of what is many, as asked', async () => {
    const client = new LookalikeClient(site.url);
    await client.createCollection('alike', { dimension: 8 });
    const items = Array.from({ length: 200 }, (_, index) => ({
      id: `item-${index}`,
      vector: [1, 1, 1, 1, 1, 1, 1, 1 + index * 1e-4],
    }));
    await client.upsert('alike', items);
    const { page, complaints } = await site.open('#/search?collection=alike&a=item:item-0&min=0.9');
    await page.getByRole('heading', { name: '96 or more similar pictures' }).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByRole('heading', { name: '199 similar pictures' }).waitFor();

    await page.goto(`${site.url}/#/duplicates?collection=alike&min=0.9`);
    await page.getByRole('button', { name: 'Find duplicates' }).click();
    await page.getByRole('heading', { name: /^Group 1 · 200 pictures/ }).waitFor();
    expect(await page.locator('.group-item').count()).toBe(60);
    await page.getByRole('button', { name: '140 more' }).click();
    await eventually(() => page.locator('.group-item').count()).toBe(120);
    await page.locator('[data-item="119"]').focus();
    for (let presses = 0; presses < 5; presses++) await page.keyboard.press('ArrowRight');
    await eventually(() => page.evaluate('document.activeElement.dataset.item')).toBe('124');
    // Items without a picture have no thumbnail to ask for.
    expect(complaints.filter((one) => !/status of 404/.test(one))).toEqual([]);
    expect(complaints.length).toBeLessThanOrEqual(1);
    await page.context().close();
  });

  it('offers search by item where a collection holds vectors only', async () => {
    const client = new LookalikeClient(site.url);
    await client.createCollection('vectors', { dimension: 2 });
    await client.upsert('vectors', [
      { id: 'east', vector: [1, 0] },
      { id: 'north-east', vector: [1, 1] },
      { id: 'north', vector: [0, 1] },
    ]);
    const { page } = await site.open('#/search?collection=vectors');
    await page.getByText('“vectors” holds vectors, not pictures').waitFor();
    expect(await page.getByText('Drop or paste').count()).toBe(0);
    await page.getByRole('link', { name: 'north', exact: true }).click();
    await eventually(() => page.locator('.results .card').first().textContent()).toContain('0.707');
    await page.getByText(/no calibrated encoder/).waitFor();
    await page.context().close();
  });
});

describe.skipIf(skipped)(`the page: a server with keys${skipped}`, { timeout }, () => {
  it('asks for the key, refuses a wrong one, and shows pictures with the right one', async () => {
    const { key, stored } = createApiKey('page', 'admin');
    const site = await startPage({ kind: 'keys', keys: [stored] });
    try {
      const { page } = await site.open();
      const field = page.getByLabel('API key');
      await field.fill('lk_wrong');
      await page.getByRole('button', { name: 'Continue' }).click();
      await eventually(() => page.getByRole('alert').textContent()).toMatch(/did not accept that key/);
      await field.fill(key);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page
        .getByLabel('Choose pictures')
        .and(page.locator('input'))
        .setInputFiles([picture('cat.jpg'), picture('rocket.jpg')]);
      await page.getByRole('link', { name: 'rocket.jpg' }).waitFor();
      await eventually(() =>
        page.evaluate(`[...document.querySelectorAll('.card img')].map((img) => img.naturalWidth)`),
      ).toEqual([256, 256]);
    } finally {
      await site.close();
    }
  });

  it('fetches thumbnails a few at a time, and only those near to what is seen', async () => {
    const { key, stored } = createApiKey('page', 'admin');
    const site = await startPage({ kind: 'keys', keys: [stored] });
    try {
      const client = new LookalikeClient(site.url, { key });
      await client.createCollection('many');
      const cat = await readFile(picture('cat.jpg'));
      const ids = Array.from({ length: 36 }, (_, index) => `cat ${String(index).padStart(2, '0')}.jpg`);
      for (const id of ids) await client.putPicture('many', id, cat);

      const { page } = await site.open('', { viewport: { width: 400, height: 600 } });
      const asked = new Set<string>();
      const underWay = new Set<unknown>();
      let most = 0;
      await page.route('**/thumbnail*', async (route) => {
        asked.add(route.request().url());
        underWay.add(route);
        most = Math.max(most, underWay.size);
        await new Promise((resolve) => setTimeout(resolve, 100));
        underWay.delete(route);
        await route.continue();
      });
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Continue' }).click();
      const shown = (index: number) =>
        page.evaluate(
          `document.querySelectorAll('.card .thumbnail')[${index}]?.querySelector('img')?.naturalWidth`,
        );
      await eventually(() => shown(0)).toBe(256);
      expect(asked.size).toBeLessThan(ids.length);
      await page.locator('.card').last().scrollIntoViewIfNeeded();
      await eventually(() => shown(ids.length - 1)).toBe(256);
      expect(most).toBeLessThanOrEqual(6);
    } finally {
      await site.close();
    }
  });
});
