/** What grouping needs to know of a file. */
export interface DuplicateItem {
  /** Unique: a path or an id. Decides ties, so that the result never depends on the order of the items. */
  key: string;
  /** Of the file's bytes. */
  contentHash: string;
  /** Of the decoded pixels, where known: see `pixelHashCandidates`. */
  pixelHash?: string;
  /** As displayed; 0 where it cannot be decoded. */
  width: number;
  height: number;
  /** Of an animation, or pages; missing: 1. Where there are several, its embedding is of the first. */
  frames?: number;
  /**
   * Of an animation: `frameHashes` of the encoder, where known, see `frameHashCandidates`. Without, it and another one match by bytes and
   * pixels only.
   */
  frameHashes?: readonly string[];
  /** Text or the like: see `PictureRow`. */
  page?: boolean | undefined;
  bytes: number;
  /** See `PictureFacts`; missing where it is not known. */
  sharpness?: number;
  /** Last modification, in milliseconds since 1970. */
  modified: number;
  /** Blank or nearly so: its embedding says little, so it matches only its own bytes and pixels. */
  lowInformation: boolean;
}

/** Whether it is an animation or has several pages. */
export function isAnimated({ frames = 1 }: { frames?: number | undefined }): boolean {
  return frames > 1;
}

/** How a member relates to the kept one: the same bytes, the same pixels in other bytes, or nearly the same picture. */
export type DuplicateKind = 'exact' | 'pixels' | 'near';

/** Ascending by UTF-16 code units: the same on every machine, unlike locale order. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
