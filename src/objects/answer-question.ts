/** From a session's question to a stream: the bot's settings, a prompt that fits them, and a responder. */
import { apiKeyFor, ConfigError, type Bindings, type Config } from '../env.ts';
import { define, settingsFor } from '../bots/definition.ts';
import { answer } from '../responders/answer.ts';
import { globalFetch, type Fetch } from '../responders/endpoint.ts';
import { ollama } from '../responders/ollama.ts';
import { openai } from '../responders/openai.ts';
import { TurnFailure, type AnswerStream, type Responders } from '../responders/port.ts';
import { buildPrompt } from '../responders/prompt.ts';
import { workersAi } from '../responders/workers-ai.ts';
import type { Question } from './ports.ts';

/** Ollama's own default context, for bots that set no `num_ctx`. */
const DEFAULT_CONTEXT_TOKENS = 4_096;
/** Kept free for the answer where a bot sets no `num_predict`. */
const DEFAULT_ANSWER_TOKENS = 1_024;
/** The answer never takes more than this share of the context from the conversation. */
const MAX_ANSWER_SHARE = 0.5;

export function answerQuestion(
  config: Config,
  bindings: Bindings,
  question: Question,
  signal: AbortSignal,
): AnswerStream {
  const { settings, systemPrompt } = definitionOf(question, config, bindings);
  const contextTokens = positive(settings.options.num_ctx) ?? DEFAULT_CONTEXT_TOKENS;
  const wanted = positive(settings.options.num_predict) ?? DEFAULT_ANSWER_TOKENS;
  const answerTokens = Math.min(wanted, Math.floor(contextTokens * MAX_ANSWER_SHARE));
  const { text: user, history } = question;
  const prompt = buildPrompt({ system: systemPrompt, history, user, contextTokens, answerTokens });
  return answer(settings, prompt, { responders: respondersOf(bindings), signal });
}

/** @throws TurnFailure where the definition names a key that is not set */
function definitionOf({ bot, spec }: Question, config: Config, bindings: Bindings) {
  if (spec === null) return settingsFor(bot, config);
  const apiKey = apiKeyFor(bindings, spec, config);
  if (apiKey instanceof ConfigError) throw new TurnFailure('bot_unavailable', 'The bot is not fully configured.');
  return define(spec, apiKey, config);
}

function respondersOf({ AI, EGRESS }: Bindings): Responders {
  const fetcher: Fetch = EGRESS ? (url, init) => EGRESS.fetch(url, init) : globalFetch;
  return { ollama: ollama(fetcher), openai: openai(fetcher), ...(AI ? { 'workers-ai': workersAi(AI) } : {}) };
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
