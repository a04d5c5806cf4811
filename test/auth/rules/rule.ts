/** A rule of who may do what: resolves while it holds, rejects when it does not. */
export type Rule = () => Promise<void> | void;
/** By the sentence that says the rule. */
export type Rules = Readonly<Record<string, Rule>>;
