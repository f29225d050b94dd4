import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allPictures, type PageUnderTest, picture, skipped, startPage, timeout } from './page-under-test.ts';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as AxeResults;
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
  );
}

describe.skipIf(skipped)(`the page: accessibility${skipped}`, { timeout }, () => {
  let site: PageUnderTest;

  beforeAll(async () => {
    site = await startPage();
    const pictures = await allPictures();
    const copy = await readFile(picture('cat.jpg'));
    await site.ingest('photos', [...pictures, { id: 'copies/cat.jpg', body: copy }]);
    await site.ingest('empty', []);
  }, timeout);
  afterAll(() => site?.close());

  const findDuplicates = async (page: Page) => {
    await page.getByRole('button', { name: 'Find duplicates' }).click();
    await page.getByRole('heading', { name: /^Group 1/ }).waitFor();
  };
  const views: { name: string; hash: string; ready: (page: Page) => Promise<unknown> }[] = [
    {
      name: 'a collection that is not there',
      hash: '#/search?collection=nowhere',
      ready: (page) => page.getByRole('heading', { name: /^There is no collection/ }).waitFor(),
    },
    {
      name: 'an empty collection',
      hash: '#/search?collection=empty',
      ready: (page) => page.getByText('Drop pictures or a folder here').waitFor(),
    },
    {
      name: 'duplicates of an empty collection',
      hash: '#/duplicates?collection=empty',
      ready: (page) => page.getByText('“empty” is empty.').waitFor(),
    },
    {
      name: 'the start of a search',
      hash: '#/search?collection=photos',
      ready: (page) => page.locator('.card img').first().waitFor(),
    },
    {
      name: 'search results',
      hash: '#/search?collection=photos&a=item:cat.jpg',
      ready: (page) => page.locator('.rest .card').first().waitFor(),
    },
    {
      name: 'several pictures searched with, one of them none',
      hash: '#/search?collection=photos',
      ready: async (page) => {
        await page
          .locator('input[type=file]')
          .first()
          .setInputFiles([
            { name: 'cat.jpg', mimeType: 'image/jpeg', buffer: await readFile(picture('cat.jpg')) },
            { name: 'rocket.jpg', mimeType: 'image/jpeg', buffer: await readFile(picture('rocket.jpg')) },
            { name: 'none.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('none') },
          ]);
        await page.getByText('problem', { exact: true }).waitFor();
      },
    },
    {
      name: 'an enlarged result',
      hash: '#/search?collection=photos&a=item:cat.jpg&look=rocket.jpg',
      ready: (page) => page.getByRole('dialog').waitFor(),
    },
    {
      name: 'the list of keys',
      hash: '#/collections?collection=photos',
      ready: async (page) => {
        await page.getByRole('button', { name: 'Keyboard' }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'a problem',
      hash: '#/search?collection=photos&a=item:nowhere.jpg',
      ready: (page) => page.getByRole('alert').waitFor(),
    },
    {
      name: 'an empty comparison',
      hash: '#/compare?collection=photos',
      ready: (page) => page.getByRole('button', { name: 'Choose the first picture' }).waitFor(),
    },
    {
      name: 'a comparison',
      hash: '#/compare?collection=photos&a=item:cat.jpg&b=item:rocket.jpg',
      ready: (page) => page.getByRole('heading', { name: 'Different pictures' }).waitFor(),
    },
    {
      name: 'collections with their figures',
      hash: '#/collections?collection=photos',
      ready: async (page) => {
        await page.getByRole('button', { name: 'Measure' }).click();
        await page.locator('.figure').waitFor();
      },
    },
    {
      name: 'the question before a collection is deleted',
      hash: '#/collections?collection=photos',
      ready: async (page) => {
        await page.getByRole('button', { name: 'Delete …' }).click();
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'pictures that were added, but one',
      hash: '#/collections?collection=empty',
      ready: async (page) => {
        await page
          .getByLabel('Choose pictures')
          .and(page.locator('input'))
          .setInputFiles([{ name: 'none.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('none') }]);
        await page.getByText('1 file could not be added').waitFor();
      },
    },
    {
      name: 'duplicate groups, with a step to undo',
      hash: '#/duplicates?collection=photos',
      ready: async (page) => {
        await findDuplicates(page);
        await page.locator('.group input').nth(1).click();
        await page.getByRole('button', { name: /^Undo/ }).waitFor();
      },
    },
    {
      name: 'an enlarged picture of a group',
      hash: '#/duplicates?collection=photos',
      ready: async (page) => {
        await findDuplicates(page);
        await page
          .getByRole('button', { name: /^Enlarge / })
          .nth(1)
          .click();
        await page.getByRole('dialog').waitFor();
      },
    },
  ];

  it.each(views)('$name, light and dark', async ({ hash, ready }) => {
    const { page } = await site.open(hash, { reducedMotion: 'reduce' });
    await ready(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await page.context().close();
  });

  it.each(
    views.filter(({ name }) =>
      /^(search results|duplicate groups|several|an enlarged|collections)/.test(name),
    ),
  )('$name, within a phone’s width', async ({ hash, ready }) => {
    const { page } = await site.open(hash, {
      viewport: { width: 360, height: 740 },
      reducedMotion: 'reduce',
      hasTouch: true,
    });
    await ready(page);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.context().close();
  });
});

describe.skipIf(skipped)(`the page: accessibility of the first minute${skipped}`, { timeout }, () => {
  let site: PageUnderTest;
  beforeAll(async () => {
    site = await startPage();
  }, timeout);
  afterAll(() => site?.close());

  it.each([
    ['#/search', 'Find pictures that look alike'],
    ['#/compare', 'Compare two pictures'],
    ['#/duplicates', 'Find duplicates'],
    ['#/collections', 'Collections'],
  ])('%s of a server that holds nothing', async (hash, heading) => {
    const { page } = await site.open(hash, { reducedMotion: 'reduce' });
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await page.context().close();
  });
});
