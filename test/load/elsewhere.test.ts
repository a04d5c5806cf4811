/** `--url`: a server that runs already, with a model that the lab knows nothing of, can hold every gate. */
import { expect, test } from 'vitest';
import { Lab } from '../../load/lab/lab.ts';
import { steadyScenarios } from '../../load/scenarios/steady.ts';
import { SCENARIO_OPTIONS } from '../support/scenario-options.ts';

const OPTIONS = { ...SCENARIO_OPTIONS, seconds: 2, users: 5 };
/** Beside other tests the generator may be late: that says nothing of the server, and is a gate for that. */
const LATE = / ms late$/;

test('what can be measured of a server elsewhere is judged, and what cannot is not', { timeout: 120_000 }, async () => {
  await Lab.run(OPTIONS, async (lab) => {
    const model = await lab.model({ tokens: 20 });
    const { url } = await lab.switchboard(model);
    for (const name of ['smoke', 'peak', 'long-answers']) {
      const scenario = steadyScenarios.find((candidate) => candidate.name === name);
      const result = await scenario?.run({ ...OPTIONS, url: new URL(url) });
      const gates = (result?.gates ?? []).filter((gate) => !LATE.test(gate.name));
      expect(gates.filter(({ ok }) => !ok)).toEqual([]);
      expect(gates.map((gate) => gate.name)).toContain('not answered');
      expect(result?.figures.find((figure) => figure.name === 'answered')?.value).toBeGreaterThan(0);
      const isLeftOut = (note: string): boolean => /not run against --url/i.test(note);
      expect(result?.notes.some(isLeftOut), name).toBe(name !== 'smoke');
    }
  });
});
