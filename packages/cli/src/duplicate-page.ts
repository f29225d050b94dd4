import { pathToFileURL } from 'node:url';
import { thumbnail } from '@lookalike/encoder';
import { byteSize } from './byte-size.ts';
import { forEachConcurrently } from './concurrency.ts';
import { counted } from './counted.ts';
import { type DuplicateReport, type ReportedItem, redundantItems, rounded } from './duplicate-report.ts';
import { comparedText, levelText, sizeText } from './duplicate-table.ts';
import { readPicture } from './picture-scan.ts';

const THUMBNAIL_SIDE = 220;
const THUMBNAILS_AT_ONCE = 4;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --dim: #777; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --dim: #999; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem; max-width: 90rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0; }
p { margin: .2rem 0; }
.dim { color: var(--dim); }
section { border: 1px solid var(--line); border-radius: .6rem; margin: 1.2rem 0; padding: .9rem 1rem; content-visibility: auto; contain-intrinsic-size: auto 22rem; }
.items { display: flex; flex-wrap: wrap; gap: 1rem; margin: .8rem 0 0; padding: 0; list-style: none; }
.items li { width: 15rem; }
.frame { display: flex; height: 14rem; align-items: center; justify-content: center; background: var(--soft); border-radius: .4rem; overflow: hidden; }
.frame img { max-width: 100%; max-height: 100%; display: block; }
.keep .frame { outline: 3px solid var(--good); }
.keep b { color: var(--good); }
.day { white-space: nowrap; }
.path { overflow-wrap: anywhere; font-size: .9em; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left; overflow-wrap: anywhere; }
`;

/**
 * A page that needs no other file: thumbnails are inside, the originals are linked. Written piece by piece, so that a
 * report of thousands of groups is never held whole.
 */
export async function* reportPage(
  report: DuplicateReport,
  options: { signal?: AbortSignal; onProgress?: (groups: number) => void } = {},
): AsyncGenerator<string> {
  const redundant = redundantItems(report);
  const bytes = redundant.reduce((sum, item) => sum + item.bytes, 0);
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Duplicates in ${html(report.folder)}</title><style>${STYLE}</style></head><body>
<h1>Duplicates in ${html(report.folder)}</h1>
<p>${counted(report.groups.length, 'group')}, ${counted(redundant.length, 'duplicate')} (${byteSize(bytes)}) among ${html(comparedText(report))}.</p>
<p class="dim">Alike means a ${html(levelText(report))}, by the model ${html(report.model)}. This page only reports: it moved and deleted nothing.</p>
`;
  for (const [number, group] of report.groups.entries()) {
    const thumbnails = await thumbnailsOf(group.items, options.signal);
    const weakest =
      group.weakest.similarity < 1
        ? `; least alike: ${html(group.weakest.a)} and ${html(group.weakest.b)}, ${percent(group.weakest.similarity)}`
        : '';
    yield `<section><h2>Group ${number + 1}: ${group.items.length} files</h2>
<p class="dim">Keep: ${html(group.reason)}${weakest}</p><ul class="items">\n`;
    for (const [position, item] of group.items.entries())
      yield itemHtml(item, item.path === group.keep, thumbnails[position]);
    yield '</ul></section>\n';
    options.onProgress?.(number + 1);
  }
  if (report.errors.length > 0) {
    yield '<section><h2>Files that could not be read</h2><table><tr><th>File</th><th>Why</th></tr>\n';
    for (const { path, error } of report.errors)
      yield `<tr><td>${html(path)}</td><td>${html(error)}</td></tr>\n`;
    yield '</table></section>\n';
  }
  yield '</body></html>\n';
}

function itemHtml(item: ReportedItem, kept: boolean, picture: string | undefined): string {
  const turned = item.transform === undefined || item.transform === 'none' ? '' : `, ${item.transform}`;
  const relation = {
    exact: 'same bytes',
    pixels: 'same pixels',
    near: `${percent(item.similarity)} similar${item.by === 'perceptual-hash' ? ', found by perceptual hash' : ''}${turned}`,
  }[item.kind];
  const frame = picture
    ? `<img loading="lazy" alt="" src="data:image/webp;base64,${picture}">`
    : '<span class="dim">no preview</span>';
  const link = html(pathToFileURL(item.absolute).href);
  return `<li${kept ? ' class="keep"' : ''}><a class="frame" href="${link}">${frame}</a>
<p><b>${kept ? 'Keep' : relation}</b></p><p class="path"><a href="${link}">${html(item.path)}</a></p>
<p class="dim">${sizeText(item)}, ${byteSize(item.bytes)}, ${item.format}, <span class="day">${day(item.modified)}</span></p></li>\n`;
}

async function thumbnailsOf(
  items: readonly ReportedItem[],
  signal: AbortSignal | undefined,
): Promise<(string | undefined)[]> {
  const pictures = new Array<string | undefined>(items.length);
  await forEachConcurrently(
    items,
    THUMBNAILS_AT_ONCE,
    async ({ absolute }, index) => {
      try {
        const bytes = await thumbnail(await readPicture(absolute), THUMBNAIL_SIDE);
        pictures[index] = Buffer.from(bytes).toString('base64');
      } catch {
        // Not to be decoded, or gone since it was scanned: the report shows that there is no preview.
      }
    },
    signal,
  );
  return pictures;
}

function percent(similarity: number): string {
  return `${(rounded(similarity) * 100).toFixed(1)} %`;
}

function day(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
