import { describe, expect, it } from 'vitest';
import { botFamilies } from '../../src/metrics/bot-metrics.ts';
import { ALERT_RULES } from '../../src/metrics/alert-rules.ts';
import { renderExposition } from '../../src/metrics/exposition.ts';
import { prometheusRules } from '../../src/metrics/prometheus-rules.ts';
import { parseExposition } from './parse-exposition.ts';
import { snapshotOf, statsWith } from './support.ts';

interface Rule {
  alert: string;
  expr: string;
  for: string;
  rule: string;
  severity: string;
}

/** The rules in the file's own layout, which is a small part of YAML; texts in it are JSON. */
const [head = '', ...entries] = prometheusRules().split(/^ {6}- /m);
const rules = entries.map((entry): Rule => {
  const field = (name: string) => new RegExp(`^ *${name}: (.+)$`, 'm').exec(entry)?.[1] ?? '';
  return {
    alert: field('alert'),
    expr: String(JSON.parse(field('expr'))),
    for: field('for'),
    rule: field('rule'),
    severity: field('severity'),
  };
});

describe('the rules for Prometheus', () => {
  it('are kept in the tree as they are generated (vitest -u writes them)', async () => {
    await expect(prometheusRules()).toMatchFileSnapshot('../../src/metrics/alerts.prometheus.yml');
  });

  it('are one group with one alert for each rule', () => {
    expect(head.split('\n').slice(1)).toEqual(['groups:', '  - name: switchboard', '    rules:', '']);
    expect(rules.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(
      ALERT_RULES.map(({ name, severity }) => `${name} ${severity}`),
    );
    for (const [i, rule] of rules.entries()) {
      expect(rule.alert).toMatch(/^Switchboard[A-Za-z0-9]+$/);
      expect(rule.expr).toContain(` > ${ALERT_RULES[i]?.threshold}`);
      expect(rule.for).toBe(`${(ALERT_RULES[i]?.forMs ?? 0) / 1_000}s`);
    }
  });

  it('name only metrics and labels that /metrics has', () => {
    const stats = statsWith((s) => Object.assign(s.failed, { endpoint_error: 1 }));
    const snapshot = snapshotOf(stats, { slots: 1, queueLimit: 1 });
    const bots = [{ id: 'a', model: 'm', state: 'running', updatedAt: 0, snapshot }];
    const families = parseExposition(
      renderExposition(botFamilies({ bots, known: 1, leftOut: 0, unreadable: 0, now: 0 })),
    );
    const samples = [...families.values()].flatMap((family) => family.samples);
    const names = new Set(samples.map(({ name }) => name));
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    const used = rules.flatMap(({ expr }) => [...expr.matchAll(/switchboard_\w+/g)].map(([name]) => name));
    expect(used.length).toBeGreaterThan(ALERT_RULES.length);
    expect(used.filter((name) => !names.has(name))).toEqual([]);
    const matched = rules.flatMap(({ expr }) => [...expr.matchAll(/(\w+)(?:=|!~)"/g)].map(([, label]) => label));
    expect(matched.filter((label) => !labels.has(label ?? ''))).toEqual([]);
  });

  it('have brackets that close', () => {
    for (const { expr } of rules) {
      const open: string[] = [];
      for (const [character] of expr.replaceAll(/"[^"]*"/g, '').matchAll(/[()[\]{}]/g)) {
        if ('([{'.includes(character)) open.push(character);
        else expect(`${open.pop()}${character}`).toMatch(/^(\(\)|\[\]|\{\})$/);
      }
      expect(open).toEqual([]);
    }
  });
});
