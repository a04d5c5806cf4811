import type { Run } from '../../load/report/runs.ts';

export type Values = readonly (readonly [group: string, subject: string, name: string, value: number | null])[];

/** A run as a report reads it, of these figures and nothing else. */
export function loadRun(name: string, values: Values): Run {
  return {
    kind: 'scenario',
    name,
    startedAt: '',
    commit: null,
    machine: { cores: 2, processor: '', memoryBytes: 1, system: '', node: '', workerd: '' },
    ok: true,
    figures: values.map(([group, subject, figure, value]) => ({ group, subject, name: figure, unit: '', value })),
    gates: [],
    notes: [],
    charts: [],
  };
}
