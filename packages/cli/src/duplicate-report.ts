import type { DuplicateGroup, DuplicateKind, NearBy } from '@lookalike/duplicates';
import { csvCell } from '@lookalike/duplicates/csv';
import type { FileError, ScannedFile } from './picture-scan.ts';
import { endingOf } from './walk-pictures.ts';

/** Files of a folder that were compared. */
export interface ComparedFiles {
  folder: string;
  pictures: number;
  /** Those that cannot be decoded, or are of a format that is not: they were compared by their bytes. */
  undecoded: number;
}

/** What `dedupe` found, in paths: the source of every output format. */
export interface DuplicateReport extends ComparedFiles {
  model: string;
  threshold: number;
  /** Estimated, where the threshold was chosen by it. */
  precision?: number;
  /** The reference folder, where there is one. */
  against?: ComparedFiles;
  /** Of all these, the ones that an earlier run had encoded. */
  known: number;
  groups: ReportedGroup[];
  errors: FileError[];
}

export interface ReportedGroup {
  keep: string;
  /** Why that one. */
  reason: string;
  /** The kept one first. */
  items: ReportedItem[];
  /** The least alike two of the group. */
  weakest: { a: string; b: string; similarity: number };
}

export interface ReportedItem {
  path: string;
  absolute: string;
  kind: DuplicateKind;
  /** To the kept one. */
  similarity: number;
  /** Of a near one: what found it. */
  by?: NearBy;
  /** Missing where it cannot be decoded. */
  width?: number;
  height?: number;
  frames?: number;
  bytes: number;
  modified: number;
  /** Of one that cannot be decoded the ending of its name. */
  format: string;
  contentHash: string;
  /** How it comes from the kept one, where rotations were looked for: `none`, `mirrored`, `rotated 90`, … */
  transform?: string;
}

export function reportGroups(
  groups: readonly DuplicateGroup[],
  pictures: readonly ScannedFile[],
): ReportedGroup[] {
  const at = (index: number) => pictures[index] as ScannedFile;
  return groups.map((group) => ({
    keep: at(group.keep).path,
    reason: group.reason,
    items: group.members.map((member) => {
      const { path, absolute, bytes, modified, contentHash, picture } = at(member.index);
      const { kind, similarity, by } = member;
      return {
        path,
        absolute,
        kind,
        similarity,
        ...(by && { by }),
        ...(picture && { width: picture.width, height: picture.height, frames: picture.frames }),
        bytes,
        modified,
        format: picture?.format ?? endingOf(path),
        contentHash,
      };
    }),
    weakest: {
      a: at(group.weakest.a).path,
      b: at(group.weakest.b).path,
      similarity: group.weakest.similarity,
    },
  }));
}

/** All but the kept ones. */
export function redundantItems(report: DuplicateReport): ReportedItem[] {
  return report.groups.flatMap(({ keep, items }) => items.filter(({ path }) => path !== keep));
}

/** The documented JSON, one object; `by` only where it was not the embedding, `transform` only where rotations were looked for. */
export function reportJson({ groups, errors }: DuplicateReport): string {
  return JSON.stringify({
    groups: groups.map(({ keep, items }) => ({
      keep,
      items: items.map(({ path, kind, similarity, by, transform }) => ({
        path,
        kind,
        similarity: rounded(similarity),
        ...(by === 'perceptual-hash' && { by }),
        ...(transform !== undefined && { transform }),
      })),
    })),
    errors,
  });
}

/** RFC 4180, with a header line; paths that would be formulas as `csvCell` has them. */
export function reportCsv({ groups }: DuplicateReport): string {
  const header = [
    'group',
    'path',
    'keep',
    'kind',
    'similarity',
    'by',
    'width',
    'height',
    'bytes',
    'reason',
    'weakest',
    'transform',
  ];
  const rows = groups.flatMap(({ keep, reason, items, weakest }, group) =>
    items.map(({ path, kind, similarity, by, width, height, bytes, transform }) => [
      group + 1,
      path,
      path === keep ? 'yes' : 'no',
      kind,
      rounded(similarity),
      by ?? '',
      width ?? '',
      height ?? '',
      bytes,
      path === keep ? reason : '',
      rounded(weakest.similarity),
      transform ?? '',
    ]),
  );
  return [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** Four decimals, and never 1 for what is not. */
export function rounded(similarity: number): number {
  const value = Math.round(similarity * 10_000) / 10_000;
  return value === 1 && similarity < 1 ? 0.9999 : value;
}
