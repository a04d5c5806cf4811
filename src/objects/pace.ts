/**
 * How eagerly streams are read. One read of a stream costs about as much as fifty tokens of text in
 * it, so when many streams share a process, each is read less often; a quiet process delays nothing.
 * Shared by all sessions in the process on purpose: what is scarce is its processor.
 */

/** Up to this many streams at once, every read happens as soon as there is something. */
const QUIET_STREAMS = 8;
/** Each further stream adds this much to everyone's wait between two reads. */
const MS_PER_STREAM = 0.5;
/** Never slower: 20 frames a second look continuous. */
const MAX_PACE_MS = 50;

let open = 0;

/** Streams being read now, and what that means for the next wait. */
export const pace = {
  /** A stream begins to be read; call what is returned when it ends. */
  enter(): () => void {
    open += 1;
    return () => {
      open -= 1;
    };
  },
  currentMs(): number {
    return Math.min(MAX_PACE_MS, Math.max(0, open - QUIET_STREAMS) * MS_PER_STREAM);
  },
};
