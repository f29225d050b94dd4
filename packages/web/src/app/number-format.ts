const count = new Intl.NumberFormat('en');
const units = ['B', 'kB', 'MB', 'GB', 'TB'];

export const formatCount = (value: number): string => count.format(value);

/** `1 picture`, `2 pictures`. */
export const formatPlural = (value: number, singular: string, plural = `${singular}s`): string =>
  `${count.format(value)} ${value === 1 ? singular : plural}`;

/** Three decimals, never rounded up to 1: only identical embeddings show as `1.000`. */
export const formatSimilarity = (value: number): string =>
  (value < 1 && value > 0.999 ? 0.999 : value).toFixed(3);

/** Decimal units, three significant figures. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** `850 ms`, `2.4 s`, `3 min 20 s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Number(milliseconds.toPrecision(2))} ms`;
  if (milliseconds < 60_000) return `${Number((milliseconds / 1000).toPrecision(2))} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
