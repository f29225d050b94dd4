/** What work cost at the object store. */
export interface Meter {
  requests: number;
  /** Read. */
  bytes: number;
}

export function newMeter(): Meter {
  return { requests: 0, bytes: 0 };
}
