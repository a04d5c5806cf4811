/** The clock of `npm start`. Miniflare takes the cron triggers of wrangler.toml and lets none of them go off. */

const HOUR_MS = 60 * 60_000;

/**
 * Calls `scheduled` now and every hour (bots/SPEC.md, B29) until what it returns is called. Nobody waits for it, and
 * no process stays for it. What fails is said and tried again in the next hour.
 */
export function everyHour(scheduled: () => Promise<{ outcome: string }>): () => void {
  let isOver = false;
  const go = async (): Promise<void> => {
    try {
      const { outcome } = await scheduled();
      if (outcome !== 'ok') throw new Error(outcome);
    } catch (error) {
      // The runtime ends in the middle of whatever it does.
      if (!isOver)
        console.error(`What bots keep only for some days was not erased, again in an hour: ${String(error)}`);
    }
  };
  void go();
  const timer = setInterval(() => void go(), HOUR_MS);
  timer.unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
