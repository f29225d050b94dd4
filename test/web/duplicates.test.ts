import { readFile } from 'node:fs/promises';
import { type DuplicateGroup, type DuplicatesJob, LookalikeClient } from '@lookalike/client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type PageUnderTest, skipped, startPage, timeout } from './page-under-test.ts';
import { picturesAndVariants } from './picture-variants.ts';

describe.skipIf(skipped)(`the page: duplicates${skipped}`, { timeout }, () => {
  let site: PageUnderTest;
  let client: LookalikeClient;

  beforeAll(async () => {
    site = await startPage();
    client = new LookalikeClient(site.url);
    await site.ingest('photos', await picturesAndVariants(1));
  }, timeout);
  afterAll(() => site?.close());

  const find = async (page: Page) => {
    await page.getByRole('button', { name: /^Find (duplicates|again)$/ }).click();
    await page.locator('.group').first().waitFor();
  };
  const focused = (page: Page) =>
    page.evaluate(`document.activeElement.getAttribute('aria-label')`) as Promise<string>;
  const download = async (page: Page, name: string) => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name }).click();
    return readFile(await (await waiting).path(), 'utf8');
  };
  const jobOf = (page: Page) => new URL(page.url()).hash.match(/job=([^&]+)/)?.[1] ?? '';

  it('shows the groups that the server found, with kinds, similarities and why which one is kept', async () => {
    const { page, complaints } = await site.open('#/duplicates?collection=photos');
    await find(page);
    const answer = await client.duplicatesPage('photos', jobOf(page), { limit: 1000 });
    expect(answer.groupCount).toBeGreaterThanOrEqual(10);
    await page.getByText(`${answer.groupCount} groups`, { exact: true }).waitFor();
    const expected = answer.groups?.find(({ items }) => items[1]?.kind === 'exact');
    expect(expected?.items.length).toBeGreaterThan(2);
    // A copy in another file format is told from a mere near-duplicate.
    await page.locator('.badge', { hasText: /^pixels$/ }).waitFor();
    const group = page.locator('.group').filter({ hasText: `keep ${expected?.keep}` });
    expect(await group.locator('.group-head').textContent()).toContain(`${expected?.reason}`);
    const ids = await group.locator('.card-name').allTextContents();
    const badges = await group.locator('.badge').allTextContents();
    const sizes = await group.locator('.group-size').allTextContents();
    const shown = ids.map((id, at) => ({ id, badge: badges[at]?.replace(/\s+/g, ' '), size: sizes[at] }));
    expect(shown).toEqual(
      expected?.items.map(({ id, kind, similarity }) => ({
        id,
        badge: id === expected.keep ? 'proposal' : kind === 'near' ? `near ${similarity.toFixed(3)}` : kind,
        size: expect.stringMatching(/^\d+ × \d+ · [\d.]+ kB$/),
      })),
    );
    // The whole picture, whatever its shape: what is cut away may be the difference.
    expect(
      await page.evaluate(`[...document.querySelectorAll('.group img')].filter((img) => {
        const [picture, frame] = [img.getBoundingClientRect(), img.parentElement.getBoundingClientRect()];
        return picture.height > frame.height + 1 || picture.width > frame.width + 1;
      }).length`),
    ).toBe(0);
    await group
      .getByRole('link', { name: /^Compare / })
      .first()
      .click();
    await page.getByRole('heading', { name: 'The same picture, or nearly' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('is operated by keyboard, keeps the choice over a reload, and lists it as JSON and CSV', async () => {
    const { page } = await site.open('#/duplicates?collection=photos');
    await find(page);
    await page.getByLabel('Order of the groups').selectOption('By name');
    const items = (group: number) => page.locator(`[data-group="${group}"] input`);
    const ids = await page.locator('[data-group="1"] .card-name').allTextContents();
    // One tab stop for the whole gallery.
    expect(await page.locator('.groups input[tabindex="0"]').count()).toBe(1);
    await items(0).first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await eventually(() => focused(page)).toBe(`Keep ${ids[1]}`);
    await page.keyboard.press('Space');
    await eventually(() => page.locator('[data-group="1"] .kept').count()).toBe(2);
    await page.keyboard.press('Enter');
    await eventually(() => page.locator('[data-group="1"] .kept').count()).toBe(1);
    await page.keyboard.press('Space');
    await page.getByText('At least one picture of a group is kept.').waitFor({ state: 'attached' });
    expect(await items(1).nth(1).isChecked()).toBe(true);
    expect(await items(1).nth(0).isChecked()).toBe(false);

    await page.reload();
    await page.getByLabel('Order of the groups').selectOption('By name');
    await eventually(() => items(1).nth(1).isChecked()).toBe(true);
    const json = JSON.parse(await download(page, 'JSON')) as {
      collection: string;
      groups: { keep: string[]; remove: string[] }[];
    };
    expect(json.collection).toBe('photos');
    expect(json.groups[1]?.keep).toEqual([ids[1]]);
    expect(json.groups[1]?.remove.sort()).toEqual(ids.filter((_, index) => index !== 1).sort());
    const csv = await download(page, 'CSV');
    expect(csv.split('\r\n')[0]).toBe('group,id,action,kind,similarity,bytes');
    expect(csv).toMatch(new RegExp(`^2,${ids[1]},keep,(near|pixels),[\\d.]+,\\d+\\r$`, 'm'));

    await page.getByLabel('In all groups').selectOption('Keep what is proposed');
    await eventually(() => items(1).nth(0).isChecked()).toBe(true);
    await page.getByRole('button', { name: /^Undo/ }).click();
    await eventually(() => items(1).nth(1).isChecked()).toBe(true);
    await page.getByLabel('In all groups').selectOption('Remove exact copies only');
    await eventually(() => page.locator('.group-item:not(.kept)').count()).toBe(1);
    await page.getByText(/ 1 to remove/).waitFor();
    await page.getByLabel('Which groups').selectOption('exact');
    await page.getByText('1 group', { exact: true }).waitFor();
    expect((await download(page, 'CSV')).split('\r\n').filter((line) => /,remove,/.test(line))).toEqual([
      expect.stringMatching(/,remove,exact,1,\d+$/),
    ]);
    await page.context().close();
  });

  it('takes the verdict “different” by keyboard, shows it at once, and the server keeps to it until it is undone', async () => {
    const { page, complaints } = await site.open('#/duplicates?collection=photos');
    await find(page);
    await page.getByLabel('Order of the groups').selectOption('By name');
    const ids = (group: number) => page.locator(`[data-group="${group}"] .card-name`).allTextContents();
    const togetherOnServer = async (a: string, b: string) => {
      for await (const { items } of client.duplicates('photos', { minSimilarity: 0.7 })) {
        const ids = items.map(({ id }) => id);
        if (ids.includes(a) && ids.includes(b)) return true;
      }
      return false;
    };
    const [keep] = await ids(0);
    // Which of two exact copies is the proposed one depends on which was stored first; they cannot be parted.
    const near = page.locator('[data-group="0"] .group-item', { hasText: /near/ }).first();
    const parted = (await near.locator('.card-name').textContent()) ?? '';
    await page.getByRole('checkbox', { name: `Keep ${parted}` }).focus();
    await page.keyboard.press('d');
    await eventually(() => ids(0)).not.toContain(parted);
    // The focus stays in the group, on what stood before it.
    await eventually(() => focused(page)).toMatch(/^Keep /);
    await eventually(() => togetherOnServer(keep ?? '', parted)).toBe(false);

    await page.reload();
    await page.getByLabel('Order of the groups').selectOption('By name');
    await eventually(() => ids(0)).not.toContain(parted);
    await page.locator('[data-group="0"] input').first().focus();
    await page.keyboard.press('z');
    await eventually(() => ids(0)).toContain(parted);
    await eventually(() => togetherOnServer(keep ?? '', parted)).toBe(true);

    await page.locator('[data-group="1"]').getByRole('button', { name: 'All different' }).click();
    await page.getByRole('button', { name: /^Undo the verdict that \d pictures are all different/ }).click();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('takes a verdict back where the server refuses it, and says why', async () => {
    const { page } = await site.open('#/duplicates?collection=photos');
    await find(page);
    const before = await page.locator('[data-group="0"] .card-name').allTextContents();
    await page.route('**/different', (route) =>
      route.fulfill({
        status: 403,
        json: { status: 403, code: 'forbidden', detail: 'the key may only read' },
      }),
    );
    await page.locator('[data-group="0"]').getByRole('button', { name: 'All different' }).click();
    await eventually(() => page.getByRole('alert').textContent()).toContain('the key may only read');
    expect(await page.locator('[data-group="0"] .card-name').allTextContents()).toEqual(before);
    expect(await page.getByRole('button', { name: /^Undo/ }).count()).toBe(0);
    await page.context().close();
  });

  it('enlarges a picture beside the one to keep, with the same keys, and closes with the back button', async () => {
    const { page, complaints } = await site.open('#/duplicates?collection=photos');
    await find(page);
    const [keep, second] = await page.locator('[data-group="0"] .card-name').allTextContents();
    await page.getByRole('checkbox', { name: `Keep ${second}` }).focus();
    await page.keyboard.press('v');
    const viewer = page.getByRole('dialog', { name: `${second}, enlarged` });
    await eventually(() => viewer.locator('.viewer-name').allTextContents()).toEqual([keep, second]);
    await page.keyboard.press('Space');
    await eventually(() => viewer.locator('figcaption .badge').allTextContents()).toEqual(['keep', 'keep']);
    await page.keyboard.press('z');
    await eventually(() => viewer.locator('figcaption .badge').allTextContents()).toEqual(['keep', 'remove']);
    await page.keyboard.press('ArrowDown');
    await page.getByText(/· group 2 of/).waitFor();
    // A verdict goes on to the next picture.
    await page.keyboard.press('d');
    await eventually(() => page.getByRole('dialog').count()).toBe(1);
    await page.keyboard.press('z');
    await page.getByText(/· group [23] of/).waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    // Where the reader was last is where the keyboard goes on.
    await eventually(() => page.evaluate(`document.activeElement.closest('.group')?.dataset.group`)).toMatch(
      /^[12]$/,
    );
    await page.keyboard.press('v');
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    expect(new URL(page.url()).hash).toContain('job=');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('deletes what is marked from the collection, after a question, and nothing else', async () => {
    const { page, complaints } = await site.open('#/duplicates?collection=photos');
    await find(page);
    await page.getByLabel('In all groups').selectOption('Remove exact copies only');
    await page.getByText(/ 1 to remove/).waitFor();
    const [marked] = await page.locator('.group-item:not(.kept) .card-name').allTextContents();
    const before = (await client.stats('photos')).items;

    await page.getByRole('button', { name: 'Delete from the collection …' }).click();
    const question = page.getByRole('dialog', { name: `Delete “${marked}” from “photos”?` });
    await question.getByRole('button', { name: 'Keep it' }).click();
    await eventually(() => page.getByRole('dialog').count()).toBe(0);
    expect((await client.stats('photos')).items).toBe(before);

    await page.getByRole('button', { name: 'Delete from the collection …' }).click();
    await question.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText(/ 0 to remove/).waitFor();
    expect(await page.getByRole('checkbox', { name: `Keep ${marked}`, exact: true }).count()).toBe(0);
    expect((await client.stats('photos')).items).toBe(before - 1);
    await expect(client.getItem('photos', marked ?? '')).rejects.toThrow('no item');
    expect(await page.getByRole('button', { name: 'Delete from the collection …' }).isDisabled()).toBe(true);
    const pictures = await picturesAndVariants(1);
    await site.ingest(
      'photos',
      pictures.filter(({ id }) => id === marked),
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('leaves out what was deleted since, and says so', async () => {
    const { page } = await site.open('#/duplicates?collection=photos');
    await find(page);
    const { groups = [] } = await client.duplicatesPage('photos', jobOf(page), { limit: 1000 });
    const proposed = groups[0]?.keep ?? '';
    await client.deleteItem('photos', proposed);
    await page.reload();
    await page.getByText('1 item of these groups is not in the collection any more').waitFor();
    await page.getByText('the one proposed before is gone').waitFor();
    expect(await page.getByRole('checkbox', { name: `Keep ${proposed}` }).count()).toBe(0);
    await page.context().close();
  });

  it('stays light with ten thousand groups', async () => {
    const count = 10_000;
    const { page, complaints } = await site.open();
    await answerWithPairs(page, count);
    await page.goto(`${site.url}/#/duplicates?collection=photos&job=many`);
    await page.getByText('10,000 groups', { exact: true }).waitFor();
    await page.getByText('10,000 to remove').waitFor();
    expect(await page.locator('.group').count()).toBeLessThan(20);
    await page.getByLabel('Order of the groups').selectOption('By name');
    await page.locator('[data-group="0"] input').first().focus();
    await page.keyboard.press('End');
    await eventually(() => focused(page)).toBe('Keep pair-09999-a');
    expect(await page.locator('.group').count()).toBeLessThan(20);
    await page.getByRole('heading', { name: /^Group 10,000/ }).waitFor();
    await page.mouse.wheel(0, -1_400_000);
    await page
      .getByRole('heading', { name: /^Group 5,0/ })
      .first()
      .waitFor();
    // The row in focus stays, so that the keyboard is not lost.
    expect(await focused(page)).toBe('Keep pair-09999-a');
    const csv = await download(page, 'CSV');
    expect(csv.split('\r\n')).toHaveLength(2 * count + 2);
    expect(complaints.filter((one) => !/status of 404/.test(one))).toEqual([]);
    await page.context().close();
  });
});

/**
 * Answers of a job with many groups, in the pages that the page asks for: what is tested is the page, and a server
 * takes minutes to find that many on a busy machine.
 */
async function answerWithPairs(page: Page, count: number): Promise<void> {
  await page.route('**/duplicates/many?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const to = Math.min(count, from + Number(query.get('limit')));
    const groups = Array.from({ length: to - from }, (_, index): DuplicateGroup => {
      const pair = `pair-${String(from + index).padStart(5, '0')}`;
      return {
        keep: `${pair}-a`,
        reason: 'oldest',
        weakest: 0.999,
        weakestPair: [`${pair}-a`, `${pair}-b`],
        items: [
          { id: `${pair}-a`, kind: 'exact', similarity: 1, metadata: {} },
          { id: `${pair}-b`, kind: 'near', similarity: 0.999, metadata: {} },
        ],
      };
    });
    const answer: DuplicatesJob = {
      job: 'many',
      status: 'done',
      minSimilarity: 0.9,
      version: 1,
      progress: { done: 2 * count, total: 2 * count },
      groupCount: count,
      complete: true,
      groups,
      ...(to < count ? { cursor: String(to) } : {}),
    };
    return route.fulfill({ json: answer });
  });
}
