export type { Box } from './box.ts';
export type { Frame } from './frame.ts';
export { openTracker, type Tracker, type TrackerOptions, type TrackResult } from './tracker.ts';
export type { TrackingDescription, TrackingParameters } from './tracking-description.ts';
