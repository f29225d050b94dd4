import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');

/** The TypeScript of a page as one program, in which later examples go on from earlier ones. */
export async function documentedProgram(page: string): Promise<string> {
  const markdown = await readFile(join(repository, page), 'utf8');
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');
}
