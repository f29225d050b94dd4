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

  const views: { name: string; hash: string; ready: (page: Page) => Promise<unknown> }[] = [
    {
      name: 'an empty collection',
      hash: '#/search?collection=empty',
      ready: (page) => page.getByText('Drop pictures or a folder here').waitFor(),
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
      name: 'duplicate groups',
      hash: '#/duplicates?collection=photos',
      ready: async (page) => {
        await page.getByRole('button', { name: 'Find duplicates' }).click();
        await page.getByRole('heading', { name: /^Group 1/ }).waitFor();
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

  it('has a phone layout without violations', async () => {
    const { page } = await site.open('#/search?collection=photos&a=item:cat.jpg', {
      viewport: { width: 360, height: 740 },
    });
    await page.locator('.rest .card').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});
