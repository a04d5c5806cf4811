import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/metrics/log.ts';

function logged(level: 'error' | 'info') {
  const lines: string[] = [];
  return { log: createLog(level, (line) => lines.push(line)), lines };
}

describe('a log line', () => {
  it('is one object of JSON with when, how bad and what', () => {
    const { log, lines } = logged('info');
    log.info('turn', { session: 's_1', turn: 4, code: null });
    log.error('request_failed', { requestId: 'r', stack: 'a\nb' });
    expect(lines.every((line) => !line.includes('\n'))).toBe(true);
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({
      at: expect.any(String),
      level: 'info',
      event: 'turn',
      session: 's_1',
      turn: 4,
      code: null,
    });
    expect(Math.abs(Date.parse(String(first?.['at'])) - Date.now())).toBeLessThan(5_000);
    expect(second).toMatchObject({ level: 'error', event: 'request_failed', stack: 'a\nb' });
  });

  it('is written for faults only at level error', () => {
    const { log, lines } = logged('error');
    log.info('turn', {});
    log.error('alarm_failed', {});
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['alarm_failed']);
  });

  it('is bounded, and no field changes when or what it speaks of', () => {
    const { log, lines } = logged('info');
    log.info('turn', { at: 'never', event: 'other', level: 'x', error: 'y'.repeat(100_000) });
    expect(lines[0]?.length).toBeLessThan(5_000);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'turn' });
  });
});
