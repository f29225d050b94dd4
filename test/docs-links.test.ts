import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const repository = resolve(import.meta.dirname, '..');
/** What the project itself says; benches write their results by themselves. */
const files = execFileSync('git', ['ls-files', '*.md'], {
  cwd: repository,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(repository, file)));

/** Without code, whose brackets are no links. */
const prose = (markdown: string) => markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');

/** The anchors that GitHub gives to headings: lower case, punctuation gone, spaces as hyphens, `-1` for the second of a name. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const counts = new Map<string, number>();
  for (const [, heading = ''] of markdown
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    .matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

function linksOf(markdown: string): string[] {
  const text = prose(markdown);
  return [
    ...[...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target]) => target as string),
    ...[...text.matchAll(/^\[[^\]]+\]:\s*<?([^\s>]+)>?/gm)].map(([, target]) => target as string),
    ...[...text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, target]) => target as string),
  ];
}

/** What is wrong with a link, in words; nothing where it is right or leads out of the project. */
function problemOf(file: string, link: string): string | undefined {
  if (/^(https?:|mailto:)/.test(link)) return undefined;
  if (/^[a-z]+:|^\//.test(link)) return 'is neither relative nor a web address';
  const [path = '', anchor] = decodeURI(link).split('#', 2);
  const target = path === '' ? join(repository, file) : resolve(repository, dirname(file), path);
  if (relative(repository, target).startsWith('..')) return 'leads out of the project';
  if (!existsSync(target)) return 'leads to nothing';
  if (anchor === undefined) return undefined;
  if (!target.endsWith('.md')) return 'has an anchor into something that is not Markdown';
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor)
    ? undefined
    : `names a heading that is not there`;
}

describe('the documentation', () => {
  test.each(files)('%s has no dead link', (file) => {
    const markdown = readFileSync(join(repository, file), 'utf8');
    const problems = linksOf(markdown).flatMap((link) => {
      const problem = problemOf(file, link);
      return problem ? [`${link} ${problem}`] : [];
    });
    expect(problems).toEqual([]);
  });

  test('has a picture behind every image, and no picture that nothing shows', () => {
    const shown = new Set(
      files.flatMap((file) =>
        linksOf(readFileSync(join(repository, file), 'utf8')).map((link) =>
          relative(repository, resolve(repository, dirname(file), link)),
        ),
      ),
    );
    const pictures = execFileSync('git', ['ls-files', 'docs/images'], { cwd: repository, encoding: 'utf8' })
      .split('\n')
      .filter((file) => file !== '' && existsSync(join(repository, file)));
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) {
      expect(shown, picture).toContain(picture);
      expect(statSync(join(repository, picture)).size, picture).toBeLessThan(500_000);
    }
  });

  test('every page of docs/ can be reached from its index', () => {
    const reached = new Set(['docs/README.md']);
    for (const file of reached) {
      for (const link of linksOf(readFileSync(join(repository, file), 'utf8'))) {
        const target = relative(repository, resolve(repository, dirname(file), link.replace(/#.*/, '')));
        if (files.includes(target)) reached.add(target);
      }
    }
    const pages = files.filter((file) => /^docs\/[^/]+\.md$/.test(file));
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });

  test('the training page names options that there are', () => {
    const page = readFileSync(join(repository, 'docs/training.md'), 'utf8');
    const training = join(repository, 'models/training/lookalike_training');
    const source = ['command.py', 'picture_training.py']
      .map((file) => readFileSync(join(training, file), 'utf8'))
      .join('\n');
    const options = new Set([...page.matchAll(/--([a-z][a-z-]+)/g)].map(([, name]) => name as string));
    // Of `lookalike serve`, and of every command.
    for (const other of ['model', 'help']) options.delete(other);
    expect(options.size).toBeGreaterThan(5);
    for (const option of options) {
      const isThere =
        source.includes(`"--${option}"`) ||
        new RegExp(`^    ${option.replaceAll('-', '_')}:`, 'm').test(source);
      expect(isThere, `--${option}`).toBe(true);
    }
    for (const loss of ['info-nce', 'triplet-semi-hard', 'multi-similarity'])
      expect(readFileSync(join(training, 'losses/by_name.py'), 'utf8')).toContain(`"${loss}"`);
  });
});

test('a link checker that finds nothing is none', () => {
  expect(problemOf('README.md', 'docs/nowhere.md')).toBe('leads to nothing');
  expect(problemOf('docs/api.md', '../README.md#no-such-heading')).toMatch(/heading/);
  expect(problemOf('README.md', '../elsewhere')).toMatch(/out of the project/);
  expect(problemOf('README.md', 'https://example.org/')).toBeUndefined();
  expect(anchorsOf('# A `b` c!\n## A b c\n```\n# no\n```\n')).toEqual(new Set(['a-b-c', 'a-b-c-1']));
  expect(linksOf('a [b](c.md "d") ![e](f.png) `[g](h)` <img src="i.svg">')).toEqual([
    'c.md',
    'f.png',
    'i.svg',
  ]);
});
