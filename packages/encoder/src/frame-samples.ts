/** Places in the course of an animation, from its first frame to its last. */
const PLACES = 8;
/** From so many frames on no frame is at two places. */
const FRAMES_FOR_PAIRS = 2 * PLACES;
/** Milliseconds; a frame that is to be shown for 10 or less browsers show for 100. */
const LEAST_DELAY = 10;
const DEFAULT_DELAY = 100;

/** Numbers of frames at one place. */
export interface FrameSample {
  /** At this place of all frames: the same one in a copy with as many frames, whatever became of their times. */
  counted: number;
  /**
   * Shown at this place of the time it takes: the same one in a copy in which equal frames were joined into one that is shown for longer,
   * as writers of GIF and WebP do. With 16 frames and more also the one before it, so that a copy without every second frame
   * has one of the two.
   */
  timed: number[];
}

/**
 * Which frames of an animation are looked at, at eight places from the first to the last; up to eight frames are all among them.
 * @param delays milliseconds; missing, as of pages: equal ones
 */
export function sampledFrames(frames: number, delays: readonly number[] = []): FrameSample[] {
  const ends: number[] = [];
  let time = 0;
  for (let frame = 0; frame < frames; frame++) {
    const delay = delays[frame] ?? DEFAULT_DELAY;
    time += delay > LEAST_DELAY ? delay : DEFAULT_DELAY;
    ends.push(time);
  }
  return Array.from({ length: PLACES }, (_, place) => {
    const share = place / (PLACES - 1);
    const shown = ends.findIndex((end) => end * (PLACES - 1) > place * time);
    const timed = shown < 0 ? frames - 1 : shown;
    const before = Math.max(0, timed - 1);
    return {
      counted: Math.round(share * (frames - 1)),
      timed: frames < FRAMES_FOR_PAIRS ? [timed] : [before, before + 1],
    };
  });
}
