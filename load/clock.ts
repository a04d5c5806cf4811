/** Milliseconds that mean the same in every process of this machine: what one noted, another may subtract. */

// Both count the system's monotonic clock; `performance.now()` from the start of its process, but without a BigInt.
const PROCESS_START_MS = Number(process.hrtime.bigint()) / 1_000_000 - performance.now();

export function monotonicMs(): number {
  return PROCESS_START_MS + performance.now();
}
