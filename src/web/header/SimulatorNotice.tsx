import { useApp } from '../state/context.ts';

export function SimulatorNotice() {
  const { bots } = useApp();
  if (!bots.simulator.value) return null;
  return (
    <p class="notice" role="note" data-testid="simulator-notice">
      Answers come from the built-in simulator, not a language model. Set <code>OLLAMA_BASE_URL</code> to use your own.
    </p>
  );
}
